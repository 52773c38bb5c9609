"""Cascades: models, simulation, spread, comparison, growth and structural virality."""
