"""What a start and a look find on the disk."""
