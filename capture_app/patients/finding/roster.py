"""Rows of the patient list in a fixed order, searched while somebody types (16 ms at 200,000 rows).

Each row has two lines of bytes with all that it can be found by. Rows are held in chunks in the
order of the list, a chunk's lines are one run of bytes: a search is a few hundred searches for
bytes, and it ends with the last row that is asked for. A changed row makes its chunk's bytes anew.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from typing import Final

from capture_app.model.encounter import Location
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.finding.places import without_places, words_of_place
from capture_app.patients.finding.spelling import (
    AskedWord,
    asked_words,
    folded,
    has_digit,
    typed,
    words_of,
    words_of_date,
    words_of_number,
)

SortKey = tuple[str, str, str, str, str]
"""Family, given (folded), patient ID, issuer, visit: no two rows have the same."""

_CHUNK: Final = 1_000
_WORD: Final = b"\x1f"
_LINE: Final = b"\n"
_INSIDE_FROM: Final = 3
"""From so many characters on a word with a digit is found inside a number too: ...678."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row and what it is found by: words of letters, and words with a digit in them."""

    key: SortKey
    entry: PatientListEntry
    names: bytes
    numbers: bytes


def row_of(entry: PatientListEntry) -> Row:
    """The row of an entry, with its place in the list."""
    names: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for word in chain(_of_patient(entry), _of_visit(entry)):
        (numbers if has_digit(word) else names)[word] = None
    place = _place(entry.encounter.location) if entry.encounter else b""
    return Row(sort_key(entry), entry, _line(names), _line(numbers) + place)


def sort_key(entry: PatientListEntry) -> SortKey:
    """The place of an entry in the list."""
    patient, encounter = entry.patient, entry.encounter
    name = patient.name.alphabetic
    if not str(name):
        name = patient.name.ideographic
    visit = f"{encounter.visit_number}\x1f{encounter.issuer}" if encounter else ""
    if entry.person:
        visit = f"{visit}\x1f{entry.person}"
    return (folded(name.family), folded(name.given), *patient.patient_id.key, visit)


def _of_patient(entry: PatientListEntry) -> Iterator[str]:
    patient = entry.patient
    for group in (patient.name.alphabetic, patient.name.ideographic, patient.name.phonetic):
        for part in (group.family, group.given, group.middle):
            if part:
                yield from words_of(part)
        if group.family and group.given and not group.family.isascii():
            yield folded(group.family + group.given)  # ideographs are typed in one go
    for number in (patient.patient_id, *patient.other_ids):
        yield from words_of_number(number.value)
    if patient.birth_date is not None:
        yield from words_of_date(patient.birth_date)
    elif patient.partial_birth_date is not None:
        yield from words_of_number(str(patient.partial_birth_date))


def _of_visit(entry: PatientListEntry) -> Iterator[str]:
    if entry.encounter is not None:
        place = entry.encounter.location
        for part in filter(None, (place.ward, place.room, place.bed)):
            yield from words_of_number(part)
            yield from words_of(part)
        if entry.encounter.visit_number:
            yield from words_of_number(entry.encounter.visit_number)
    for order in entry.orders:
        if order.accession_number:
            yield from words_of_number(order.accession_number)


@lru_cache(maxsize=20_000)
def _place(location: Location) -> bytes:
    return _line(dict.fromkeys(words_of_place(location)))


def _line(words: Iterable[str]) -> bytes:
    return (_WORD + _WORD.join(word.encode() for word in words)).replace(_LINE, b" ")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A word that is asked for, as bytes to find."""

    ways: tuple[bytes, ...]
    is_number: bool

    def is_in(self, row: Row) -> bool:
        line = row.numbers if self.is_number else row.names
        return any(way in line for way in self.ways)


class _Text:
    """One kind of line of all rows of a chunk, as one run of bytes."""

    __slots__ = ("_ends", "_text")

    def __init__(self, lines: list[bytes]) -> None:
        self._text = _LINE.join([*lines, b""])
        self._ends = list(accumulate(len(line) + 1 for line in lines))

    def has(self, ways: tuple[bytes, ...]) -> bool:
        return any(way in self._text for way in ways)

    def count(self, ways: tuple[bytes, ...]) -> int:
        return sum(self._text.count(way) for way in ways)

    def lines_with(self, ways: tuple[bytes, ...]) -> Iterator[int]:
        """The numbers of the lines that hold one of these, in order."""
        if len(ways) > 1:
            yield from sorted({index for way in ways for index in self.lines_with((way,))})
            return
        position = 0
        while (position := self._text.find(ways[0], position)) >= 0:
            index = bisect_right(self._ends, position)
            yield index
            position = self._ends[index]


class _Chunk:
    """A run of rows; their texts are made when they are needed."""

    __slots__ = ("_names", "_numbers", "rows")

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.changed()

    def changed(self) -> None:
        self._names: _Text | None = None
        self._numbers: _Text | None = None

    def matches(self, asked: tuple[_Asked, ...]) -> Iterator[Row]:
        """Its rows that have every word asked for, in order."""
        if not all(self._text(word).has(word.ways) for word in asked):
            return
        if len(asked) == 1:
            yield from (self.rows[i] for i in self._text(asked[0]).lines_with(asked[0].ways))
            return
        rarest = min(asked, key=lambda word: self._text(word).count(word.ways))
        rest = [word for word in asked if word is not rarest]
        for index in self._text(rarest).lines_with(rarest.ways):
            row = self.rows[index]
            if all(word.is_in(row) for word in rest):
                yield row

    def _text(self, word: _Asked) -> _Text:
        if word.is_number:
            if self._numbers is None:
                self._numbers = _Text([row.numbers for row in self.rows])
            return self._numbers
        if self._names is None:
            self._names = _Text([row.names for row in self.rows])
        return self._names


class Roster:
    """The rows of one tab, always in order. Not for two threads at once: the census locks."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._firsts: list[SortKey] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def fill(self, rows: list[Row]) -> None:
        """Puts these rows in place of all others."""
        ordered = sorted(rows, key=lambda row: row.key)
        self._chunks = [
            _Chunk(ordered[start : start + _CHUNK]) for start in range(0, len(ordered), _CHUNK)
        ]
        self._firsts = [chunk.rows[0].key for chunk in self._chunks]
        self._count = len(ordered)

    def put(self, row: Row) -> None:
        """Adds a row, or changes the one of the same key."""
        if not self._chunks:
            self.fill([row])
            return
        index = max(0, bisect_right(self._firsts, row.key) - 1)
        chunk = self._chunks[index]
        place = bisect_left(chunk.rows, row.key, key=_key)
        if place < len(chunk.rows) and chunk.rows[place].key == row.key:
            chunk.rows[place] = row
        else:
            insort(chunk.rows, row, key=_key)
            self._count += 1
        chunk.changed()
        self._firsts[index] = chunk.rows[0].key
        if len(chunk.rows) > 2 * _CHUNK:
            half = _Chunk(chunk.rows[_CHUNK:])
            del chunk.rows[_CHUNK:]
            self._chunks.insert(index + 1, half)
            self._firsts.insert(index + 1, half.rows[0].key)

    def remove(self, key: SortKey) -> None:
        """Takes a row away, if it is there."""
        index = bisect_right(self._firsts, key) - 1
        if index < 0:
            return
        chunk = self._chunks[index]
        place = bisect_left(chunk.rows, key, key=_key)
        if place == len(chunk.rows) or chunk.rows[place].key != key:
            return
        del chunk.rows[place]
        chunk.changed()
        self._count -= 1
        if chunk.rows:
            self._firsts[index] = chunk.rows[0].key
        else:
            del self._chunks[index], self._firsts[index]

    def find(self, text: str, limit: int) -> tuple[PatientListEntry, ...]:
        """The first rows that have every word of the text, in the order of the list.

        A word is the beginning of a word of the row; one with a digit may stand inside a number,
        one in a script without gaps between words anywhere. "Bed 12" is found in bed 12, and where
        Bed is a name.
        """
        found: list[PatientListEntry] = []
        for row in self._matches(text):
            if len(found) == limit:
                break
            found.append(row.entry)
        return tuple(found)

    def _matches(self, text: str) -> Iterator[Row]:
        readings = tuple(map(_longest_first, _readings(text)))
        for chunk in self._chunks:
            found = [chunk.matches(asked) if asked else iter(chunk.rows) for asked in readings]
            yield from found[0] if len(found) == 1 else _merged(found)


def _readings(text: str) -> Iterator[tuple[AskedWord, ...]]:
    """What was typed, as plain words, and where it speaks of a place also as that."""
    plain = typed(text)
    yield asked_words(plain)
    rest, places = without_places(plain)
    if places:
        yield (*asked_words(rest), *(AskedWord((place,), has_digit=True) for place in places))


def _longest_first(words: tuple[AskedWord, ...]) -> tuple[_Asked, ...]:
    """As bytes to find; the longest rules out most chunks at one look."""
    return tuple(sorted(map(_asked, words), key=lambda word: -len(word.ways[0])))


def _merged(found: list[Iterator[Row]]) -> Iterator[Row]:
    """Rows in order, each once."""
    last: Row | None = None
    for row in heapq.merge(*found, key=_key):
        if row is not last:
            yield row
        last = row


def _asked(word: AskedWord) -> _Asked:
    return _Asked(tuple(map(_pattern, word.meanings)), word.has_digit)


def _pattern(word: str) -> bytes:
    inside = not word.isascii() or (len(word) >= _INSIDE_FROM and has_digit(word))
    asked = word.encode(errors="surrogatepass")  # bytes of a command line that are no text
    return asked if inside else _WORD + asked


def _key(row: Row) -> SortKey:
    return row.key
