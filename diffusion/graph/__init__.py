"""Follower graphs: built from tables, other libraries' graphs and files, with propagation probabilities."""
