"""Wires: DIMSE associations, HTTP exchanges and MLLP framing, each under a total deadline."""
