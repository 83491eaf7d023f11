"""Wraps: builders and the modules they are made of, codes, conformance. Pure: no I/O."""
