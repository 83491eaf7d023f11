"""Measures against other people's programs: `make bench`. Not collected by pytest."""
