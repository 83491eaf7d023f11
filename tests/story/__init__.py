"""A hospital, two windows and an archive for stories: whatever happens, no picture lies."""
