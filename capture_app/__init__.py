"""Capture App: point-of-care image capture, delivered to the archive as standard DICOM."""

__version__ = "0.1.0"
