"""HL7 v2: a tolerant splitter, names, dates, acknowledgements, and a builder. Pure, no I/O."""
