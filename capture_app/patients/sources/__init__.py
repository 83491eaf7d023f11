"""Where patients come from."""
