"""The workspace: shoot, say what it shows, send."""
