"""HL7 admissions (ITI-30, ITI-31) over MLLP."""
