"""How people type what they look for: without accents and case, in any script, dates in any way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)

# Letters that Unicode does not take apart into a letter and a mark.
_PLAIN: Final = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ł": "l",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
        "ة": "ه",
        "ى": "ي",
        "ٱ": "ا",
        "ـ": None,  # tatweel only stretches a word
        "'": None,
        "`": None,
        "\u2019": None,
        "\u02bc": None,
        "\u00b4": None,
    }
    | {chr(katakana): chr(katakana - 0x60) for katakana in range(0x30A1, 0x30F7)}
)
_WRITTEN_OUT: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "ae", "Ö": "oe", "Ü": "ue"}
    | {"Å": "aa", "Ø": "oe"}
)
_BETWEEN_WORDS: Final = re.compile(r"[\s,;^=\-\u2010-\u2015/]+")
_DIGIT: Final = re.compile(r"\d")
SEPARATORS: Final = re.compile(r"[-./\\]")
_DATE_IN_WORDS: Final = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th)?[ .-]+(" + "|".join(_MONTHS) + r")[a-z]*\.?[ .-]+(\d{4})\b"
)


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """The text without case, accents and other marks: what two spellings of one name share."""
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in apart
        if not unicodedata.category(c).startswith("M")
    )
    return bare.casefold().translate(_PLAIN)


@lru_cache(maxsize=50_000)
def words_of(name: str) -> tuple[str, ...]:
    """Every way in which a part of a name may be begun: its words, all of it without gaps, and with
    umlauts written out (Müller: muller, mueller).
    """
    return tuple(dict.fromkeys(_words_of(name)))


def _words_of(name: str) -> Iterator[str]:
    spellings = {folded(name)}
    if not name.isascii():
        spellings.add(folded(name.translate(_WRITTEN_OUT)))
    for spelling in spellings:
        words = [word for word in _BETWEEN_WORDS.split(spelling) if word]
        yield from words
        if len(words) > 1:
            yield "".join(words)


def words_of_number(number: str) -> Iterator[str]:
    """An identifier as it stands and without its separators."""
    plain = folded(number)
    yield plain
    bare = SEPARATORS.sub("", plain)
    if bare != plain:
        yield bare


def words_of_date(day: date) -> Iterator[str]:
    """A birth date in the three orders in which it is begun."""
    y, m, d = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    yield y + m + d
    yield d + m + y
    yield d + _MONTHS[day.month - 1] + y


@dataclass(frozen=True, slots=True)
class AskedWord:
    """One word that was typed. It is found where one of its meanings is."""

    meanings: tuple[str, ...]
    has_digit: bool


def typed(text: str) -> str:
    """What was typed, folded, with each date that has a month's name as one word."""
    return _DATE_IN_WORDS.sub(lambda m: f"{int(m[1]):02d}{m[2]}{m[3]}", folded(text))


def asked_words(plain: str) -> tuple[AskedWord, ...]:
    """What was `typed`, as words that all must be found."""
    asked: list[AskedWord] = []
    for word in re.split(r"[\s,;^=]+", plain):
        if has_digit(word):
            meanings = tuple(dict.fromkeys(_meanings(word)))
            asked.append(AskedWord(meanings, has_digit=True))
        else:
            parts = _BETWEEN_WORDS.split(word)
            asked.extend(AskedWord((part,), has_digit=False) for part in parts if part)
    return tuple(asked)


def has_digit(word: str) -> bool:
    """Whether a word is looked for among numbers, dates and beds, or among names."""
    return not word.isalpha() and _DIGIT.search(word) is not None


def _meanings(word: str) -> Iterator[str]:
    """A word with digits: without separators, and as (the beginning of) a date."""
    parts = [part for part in SEPARATORS.split(word) if part]
    if len(parts) == 1:
        yield parts[0]
        return
    # 1/7/1956 is 01071956, and 1956-7-1 is 19560701; the last part may still be being typed.
    padded = [part.zfill(2) if part.isdigit() else part[:3] for part in parts]
    if not _is_whole_date([*padded[:-1], parts[-1]]):
        yield "".join(parts)
        yield "".join((*padded[:-1], parts[-1]))
    yield "".join(padded)


def _is_whole_date(parts: list[str]) -> bool:
    return len(parts) == 3 and sorted(map(len, parts)) in ([2, 2, 4], [2, 3, 4])
