"""Wraps: builders and the modules they are made of, codes, conformance. Pure: no I/O."""

import pydicom.config

# A misspelt keyword (`ds.PatientNmae = ...`) would be kept as a Python attribute, never written.
pydicom.config.INVALID_KEYWORD_BEHAVIOR = "RAISE"
