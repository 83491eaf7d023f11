"""The lists as the feeds tell them: events kept, folded, and read."""
