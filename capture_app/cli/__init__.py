"""The `capture-app` command: one file a sub-command."""
