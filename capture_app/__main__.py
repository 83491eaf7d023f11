"""Lets `python -m capture_app` do what the `capture-app` command does."""

import sys

from capture_app.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
