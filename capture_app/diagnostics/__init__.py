"""Whether this station works, and what IT must know where it does not."""
