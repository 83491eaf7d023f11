"""A computer that is not connected yet."""
