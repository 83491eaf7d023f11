"""What cannot go on."""
