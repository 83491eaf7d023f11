"""A draft becomes a DICOM object in its study."""
