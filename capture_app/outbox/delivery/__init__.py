"""What is due goes to its destination."""
