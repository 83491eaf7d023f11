"""Bytes from outside are read in a child that can be killed and has nothing to lose."""
