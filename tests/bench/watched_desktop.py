"""The whole `capture-app desktop`; says when the lock and when the list were painted, and ends.

python -m tests.bench.watched_desktop [arguments of the command]
"""

import sys

# Development tools bring it along, and structlog reads it; an installed application has none.
sys.modules["rich"] = None  # type: ignore[assignment]

from capture_app.cli import window  # noqa: E402 - structlog comes with it
from capture_app.cli.main import main  # noqa: E402 - as above
from capture_app.settings.schema import Settings  # noqa: E402 - as above

_open_window = window.open_window


def _watched(settings: Settings) -> int:
    # Only now: nothing is to be imported earlier than the command itself does it.
    from tests.bench.watched_window import watch  # noqa: PLC0415

    watch()
    return _open_window(settings)


if __name__ == "__main__":
    window.open_window = _watched
    sys.exit(main(["desktop", *sys.argv[1:]]))
