"""Checks and set-up of the repository itself; nothing here ships."""
