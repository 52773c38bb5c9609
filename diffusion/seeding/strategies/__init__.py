"""Strategies of choosing seeds; see `diffusion.seeding.registry`."""
