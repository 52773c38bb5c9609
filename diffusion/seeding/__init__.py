"""Choosing seeds."""
