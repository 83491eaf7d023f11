"""Looks after pixels: JPEG surgery that leaves the coded picture untouched, quality checks."""
