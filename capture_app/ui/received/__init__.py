"""What scanners sent and is nobody's yet: who says whose it is."""
