"""Where images go: DIMSE and DICOMweb archives, and the proof that they hold what was sent."""
