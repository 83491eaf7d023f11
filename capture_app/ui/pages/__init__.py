"""Layout and render(state): one file a page."""
