"""Wraps: one builder per SOP class, the modules they are made of, codes, conformance. Pure: no input, no output."""

import pydicom.config

# A misspelt keyword (`ds.PatientNmae = ...`) would be kept as a Python attribute and never be written.
pydicom.config.INVALID_KEYWORD_BEHAVIOR = "RAISE"
