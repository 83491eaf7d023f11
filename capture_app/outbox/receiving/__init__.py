"""What scanners send by themselves: kept as it came, and filed when it is known whose it is."""
