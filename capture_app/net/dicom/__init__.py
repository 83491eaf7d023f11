"""The DICOM upper layer, its messages, and associations under a deadline."""
