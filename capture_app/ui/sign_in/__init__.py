"""The lock."""
