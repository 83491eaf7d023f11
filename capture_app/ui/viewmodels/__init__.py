"""What the pages show, as frozen states, and what their users intend, as methods."""
