"""Attractors found from where orbits go: what the survey of basins stands on."""
