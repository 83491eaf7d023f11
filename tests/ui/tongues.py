"""Stand-in languages: longer than English, and from the right, to see what does not fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from capture_app.model import words

_ARABIC = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ابجدهوزحطيكلمنسعفصقرشتثخذضابجدهوزحطيكلمنسعفصقرشتثخذض",
)


def arabic_like(text: str) -> str:
    """Arabic letters in place of Latin ones: nonsense that is shaped and ordered as Arabic is."""
    out, depth = [], 0
    for character in text:  # the names inside {braces} must stay as they are
        depth += (character == "{") - (character == "}")
        out.append(character if depth else character.translate(_ARABIC))
    return "".join(out)


class _Made(dict[str, str]):
    def __init__(self, translate: Callable[[str], str]) -> None:
        super().__init__()
        self._translate = translate

    def get(self, key: str, default: str | None = None) -> str:  # type: ignore[override]  # noqa: ARG002 - as dict has it
        return self._translate(key)


TONGUES = ("english", "pseudo", "arabic")


@contextmanager
def speaking(app: QApplication, tongue: str) -> Iterator[None]:
    """Everything that is made meanwhile speaks this language."""
    translate = {"pseudo": words.pseudo, "arabic": arabic_like}.get(tongue)
    before = words._catalogue
    if translate is not None:
        words._catalogue = MappingProxyType(_Made(translate))
    if tongue == "arabic":
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        yield
    finally:
        words._catalogue = before
        app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
