"""Hostile bytes at our ports, by the thousand: drawn by a seed, sent over real sockets.

`make test` draws some, `make fuzz` all of them.
"""
