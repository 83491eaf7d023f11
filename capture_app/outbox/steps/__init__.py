"""The steps of an image on its way, as rows."""
