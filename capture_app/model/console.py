"""The picture of a console: what of it is kept, and where it says whose it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of a picture, in pixels from its upper left corner."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column behind it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    def is_within(self, other: Area) -> bool:
        """Whether all of it lies in another."""
        return (
            other.left <= self.left
            and other.top <= self.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )

    def common(self, other: Area) -> Area | None:
        """What two areas share; None where they share nothing."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        if left >= right or top >= bottom:
            return None
        return Area(left, top, right - left, bottom - top)

    def moved(self, columns: int, rows: int) -> Area:
        """The same rectangle, so far to the right and down."""
        return Area(self.left + columns, self.top + rows, self.width, self.height)


@dataclass(frozen=True, slots=True)
class ConsoleLayout:
    """Where things are in the whole picture of a console, `columns` x `rows` pixels."""

    columns: int
    rows: int
    kept: Area | None = None
    """What images keep, without the names that the console writes; None: all."""
    banner: Area | None = None
    """Where the console writes whose picture it is; None where nobody has said."""
    reader_model: str = ""
    """The file of a model that reads that; empty where people alone do."""

    def kept_of(self, columns: int, rows: int) -> Area | None:
        """What is kept of a picture of this size; None: all, for it is laid out otherwise."""
        return self.kept if (columns, rows) == (self.columns, self.rows) else None

    def banner_of(self, columns: int, rows: int) -> Area | None:
        """Where a picture of this size says whose it is; None where nobody knows."""
        return self.banner if (columns, rows) == (self.columns, self.rows) else None
