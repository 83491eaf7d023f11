"""The second identifier: asked wherever a patient was not opened by a scan."""
