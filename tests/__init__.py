"""The proof: unit, contract, faults, ui, e2e and bench, and the real peers they speak to."""
