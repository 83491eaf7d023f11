"""The clinician's act: who was identified, what was taken, and the gate before anything leaves."""
