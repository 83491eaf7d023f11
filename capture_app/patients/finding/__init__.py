"""Finding a patient: by a scan, by any spelling, by place."""
