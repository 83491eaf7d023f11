"""Dumb, reusable parts of the pages."""
