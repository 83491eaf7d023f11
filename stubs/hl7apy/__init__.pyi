# The part of hl7apy that tests and benchmarks use.
