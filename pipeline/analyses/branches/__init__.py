"""Branches: curves of cycles along a parameter, what happens on them, and where they part."""
