"""Standard output and error on whatever a console can show: nothing that we say ends a command."""

from __future__ import annotations

import codecs
import os
import sys
from io import TextIOWrapper
from typing import Final

_ESCAPED: Final = "capture-app-escaped"


def settle_streams() -> None:
    r"""Lets both streams write any text; what their encoding lacks becomes an escape (\u0142).

    Without a console (pythonw on Windows has none) what is said goes nowhere.
    """
    codecs.register_error(_ESCAPED, _escape)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process's life
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)


def as_shown(text: str) -> str:
    """The text as standard output will show it."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        return text.encode(encoding, sys.stdout.errors or "strict").decode(encoding)
    except UnicodeError:  # a stream of somebody else's, which may take it as it is
        return text


def shows_everything() -> bool:
    """Whether the encoding of standard output has every character."""
    return codecs.lookup(sys.stdout.encoding or "utf-8").name.startswith("utf-")


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""\uXXXX and \UXXXXXXXX: what TOML and Python read back (backslashreplace's \xXX is neither
    TOML nor JSON).
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    escapes = (f"\\u{ord(c):04x}" if ord(c) < 0x1_0000 else f"\\U{ord(c):08x}" for c in lost)
    return "".join(escapes), error.end
