"""The window: pages and view-models over the services, and nothing that knows a file or a wire."""
