"""Generators of the reference fixtures; run through make_fixtures.py."""
