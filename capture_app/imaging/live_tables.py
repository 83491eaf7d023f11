"""The tables of a JPEG that its scans use: one that none uses could hold anything (T.81 B.2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from capture_app.dicom.jpeg_stream import DHT, damaged
from capture_app.errors import ImageError

DQT, DRI = 0xDB, 0xDD
TABLES: Final = frozenset({DHT, DQT, DRI})
_Key = tuple[int, int]
"""The marker, and which table of that kind."""


@dataclass(slots=True)
class _Table:
    body: bytes
    is_used: bool = False


@dataclass(slots=True)
class TableSegment:
    """A DHT, DQT or DRI segment on its way out."""

    marker: int
    tables: list[_Table]

    @property
    def is_baseline(self) -> bool:
        """Whether those that are used have places and widths of the baseline process."""
        most = 0x0F if self.marker == DQT else 0x11
        return all(
            table.body[0] <= most and (self.marker != DHT or not table.body[0] & 0x0E)
            for table in self.tables
            if table.is_used and self.marker != DRI
        )

    def as_kept(self) -> bytes:
        """The segment with the tables that are used; empty where none is."""
        body = b"".join(table.body for table in self.tables if table.is_used)
        if not body:
            return b""
        return bytes((0xFF, self.marker)) + (len(body) + 2).to_bytes(2, "big") + body


@dataclass(slots=True)
class LiveTables:
    """Which table each place holds, from scan to scan."""

    _now: dict[_Key, _Table] = field(default_factory=dict)
    has_huffman: bool = False

    def define(self, marker: int, payload: bytes) -> TableSegment:
        """The tables of a segment take their places. Raises ImageError for a broken one."""
        tables = []
        for key, body in _tables(marker, payload):
            table = _Table(body)
            self._now[key] = table
            tables.append(table)
        self.has_huffman = self.has_huffman or marker == DHT
        return TableSegment(marker, tables)

    def use(self, quantization: set[int], huffman: set[int]) -> None:
        """A scan begins that needs these tables; `huffman` by class and place, as DHT has them."""
        keys = [(DQT, n) for n in quantization] + [(DHT, n) for n in huffman] + [(DRI, 0)]
        for key in keys:
            if (table := self._now.get(key)) is not None:
                table.is_used = True

    def zeros_are_detail(self, places: set[int]) -> bool:
        """Whether coded data of nothing but zeros would be blocks in which every coefficient is
        the same small number: no picture, but a hole. `places` are those of AC tables.
        """
        tables = (self._now.get((DHT, 0x10 | place)) for place in places)
        return any(t is not None and t.body[17:18] and t.body[17] & 15 for t in tables)


def _tables(marker: int, payload: bytes) -> Iterator[tuple[_Key, bytes]]:
    if marker == DRI:
        if len(payload) != 2:
            raise ImageError(damaged())
        yield (DRI, 0), payload
        return
    while payload:
        first = payload[0]
        if marker == DQT:
            key, size = first & 15, 65 if first < 16 else 129
        else:
            key, size = first, 17 + sum(payload[1:17])
        if len(payload) < size:
            raise ImageError(damaged())
        yield (marker, key), payload[:size]
        payload = payload[size:]
