"""A function for each module of the image information objects (PS3.3 Annex C)."""
