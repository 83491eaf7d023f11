"""Splits HL7 v2 messages into segments, fields, components: tolerant of what senders do, bounded.

Takes any version and a site's own segments (Z..), carriage returns or line feeds or both between
segments, and delimiters other than the usual ones (MSH-1, MSH-2). It reads nothing that it would
have to guess: a message that was cut in the middle of a field is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from capture_app.errors import MessageError
from capture_app.hl7.charset import codec_of, written_charset
from capture_app.hl7.entities import holds_entity, without_entities
from capture_app.hl7.segments import is_segment_name
from capture_app.model.strict_text import decode, is_readable
from capture_app.model.words import tr

MAX_SEGMENTS: Final = 5_000
MAX_REPETITIONS: Final = 500
NULL: Final = '""'
"""A field of two quotes: the value is to be deleted. An empty field: nothing is said of it."""

_AS_NAMED: Final[Mapping[str, str]] = MappingProxyType({})
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_ESCAPED: Final = {
    "field": "F",
    "component": "S",
    "subcomponent": "T",
    "repetition": "R",
    "escape": "E",
}
_SPACE: Final = re.compile(r"\.(br|sp|in|ti|fi|nf|ce|sk)[+\d ]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """What MSH-1 and MSH-2 say divides the parts."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(frozen=True, slots=True)
class Composite:
    """One repetition of a field: its components, raw."""

    components: tuple[str, ...]
    delimiters: Delimiters
    codec: str

    @classmethod
    def of(cls, raw: str, delimiters: Delimiters, codec: str) -> Composite:
        """Takes a repetition apart."""
        return cls(tuple(raw.split(delimiters.component)), delimiters, codec)

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """The value of a component, counted from 1, unescaped and stripped.

        Empty where it is absent and where it is NULL. Raises MessageError for what cannot be read:
        a wrong escape sequence, a character reference of HTML, a mark for a lost character.
        """
        if len(self.components) < component:
            return ""
        return _text(self.components[component - 1], subcomponent, self.delimiters, self.codec)

    def whole(self, component: int = 1) -> str:
        """The value of a component that has no parts: what would divide them was not escaped and
        stands for itself (`A&E`). Otherwise as `text`.
        """
        if len(self.components) < component:
            return ""
        return _text(self.components[component - 1], None, self.delimiters, self.codec)

    def parts(self, component: int = 1) -> tuple[str, ...]:
        """The subcomponents of a component, raw; one, empty, where it is absent."""
        raw = self.components[component - 1] if component <= len(self.components) else ""
        return tuple(raw.split(self.delimiters.subcomponent))


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of a message. `fields[n]` is field n as the standard counts; [0] is the name."""

    name: str
    fields: tuple[str, ...]
    delimiters: Delimiters
    codec: str

    def raw(self, field: int) -> str:
        """The field as it stands, empty where it is absent."""
        return self.fields[field] if field < len(self.fields) else ""

    def is_valued(self, field: int) -> bool:
        """True where the field says something, NULL included."""
        return self.raw(field) != ""

    def repetitions(self, field: int) -> tuple[Composite, ...]:
        """Every repetition of a field that is not empty. MessageError for more than 500 of them."""
        raw = self.raw(field)
        if raw in {"", NULL}:
            return ()
        parts = raw.split(self.delimiters.repetition, MAX_REPETITIONS)
        if len(parts) > MAX_REPETITIONS:
            raise MessageError(tr("A field of the message has too many repetitions."))
        return tuple(Composite.of(part, self.delimiters, self.codec) for part in parts if part)

    def composite(self, field: int) -> Composite:
        """The first repetition of a field."""
        raw = self.raw(field).split(self.delimiters.repetition, 1)[0]
        return Composite.of(raw, self.delimiters, self.codec)

    def only(self, field: int) -> str:
        """The first component of a field that does not repeat. MessageError where two differ."""
        if self.delimiters.repetition not in self.raw(field):
            return self.text(field)
        values = {repetition.text() for repetition in self.repetitions(field)}
        if len(values) > 1:
            raise MessageError(tr("A field of the message says two things."))
        return next(iter(values), "")

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """A component of the first repetition; see `Composite.text`."""
        raw = self.raw(field)
        if not raw:
            return ""
        delimiters = self.delimiters
        parts = raw.split(delimiters.repetition, 1)[0].split(delimiters.component, component)
        if len(parts) < component:
            return ""
        return _text(parts[component - 1], subcomponent, delimiters, self.codec)


@dataclass(frozen=True, slots=True)
class Hl7Message:
    """A message in parts. The first segment is MSH."""

    segments: tuple[Segment, ...]
    repaired: tuple[str, ...] = ()
    """The fields (PID-5) in which character references of HTML were taken as characters."""

    @property
    def msh(self) -> Segment:
        """The message header."""
        return self.segments[0]

    def all(self, name: str) -> Iterator[Segment]:
        """Every segment of a name, in order."""
        return (segment for segment in self.segments if segment.name == name)

    def one(self, name: str) -> Segment | None:
        """The only segment of a name, None where there is none.

        Raises MessageError for a second one: which of two patients or visits is meant is not ours
        to choose.
        """
        found = list(self.all(name))
        if len(found) > 1:
            raise MessageError(tr("The message has more than one {segment} segment.", segment=name))
        return found[0] if found else None

    @property
    def message_type(self) -> str:
        """MSH-9.1: ADT, ORU, ..."""
        return self.msh.text(9, 1)

    @property
    def event(self) -> str:
        """The trigger event, A01, ...: MSH-9.2, else EVN-1 (old senders)."""
        event = self.msh.text(9, 2)
        if event:
            return event
        evn = next(self.all("EVN"), None)
        return evn.text(1) if evn else ""

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.msh.text(10)


def parse_header(raw: bytes) -> Hl7Message:
    """Only the MSH segment, read byte for byte: enough to answer a message that cannot be read.

    Raises MessageError where there is none.
    """
    head = re.split(rb"[\r\n]", _stripped(raw)[:4096], maxsplit=1)[0].decode("iso8859_1")
    delimiters = _delimiters(head)
    return Hl7Message((_segment(head, delimiters, "iso8859_1"),))


def refuse_if_cut(raw: bytes) -> None:
    """Raises MessageError for a message with a line that does not begin with the name of a segment,
    because a field was cut by a stray line end, or in which two lines became one.

    Looks at bytes alone: a header that was cut does not say how all else is to be read.
    """
    whole = _stripped(raw)
    divider = whole[3:4]
    if not (whole.startswith(b"MSH") and divider):
        return
    for line in whole.split(b"\r" if b"\r" in whole else b"\n"):
        begins, *more = line.strip(b"\n").split(b"\n")
        if begins.strip() and not _is_named(begins, divider):
            raise MessageError(
                tr(
                    "A line of the message does not begin with the name of a segment: a field was "
                    "cut by a line end within it."
                )
            )
        if any(divider in part and _is_named(part, divider) for part in more):
            raise MessageError(tr("The lines of the message end in two ways: two ran into one."))


def _is_named(line: bytes, divider: bytes) -> bool:
    return is_segment_name(line.split(divider, 1)[0].decode("iso8859_1"))


def parse(
    raw: bytes,
    *,
    default_charset: str,
    charsets: Mapping[str, str] = _AS_NAMED,
    repairs_entities: bool = False,
) -> Hl7Message:
    """Splits one message. `default_charset` (HL7 table 0211) holds where MSH-18 is empty.

    `charsets`: in which set the sender really writes where MSH-18 names another. `repairs_entities`
    takes character references of HTML as the characters they stand for.

    Raises MessageError for what is no message, for one with a line that does not begin with the
    name of a segment (a field was cut by a stray line end), for a character set that is not known,
    and for bytes that are not of that set.
    """
    refuse_if_cut(raw)
    named = _charset(parse_header(raw).msh) or default_charset
    codec = codec_of(written_charset(named, charsets))
    text = decode(_stripped(raw), codec)
    lines = text.split("\r") if "\r" in text else text.split("\n")
    if len(lines) > MAX_SEGMENTS:
        raise MessageError(tr("The message has too many segments."))
    delimiters = _delimiters(lines[0])
    whole = [line.strip("\n") for line in lines]
    segments = [_segment(line, delimiters, codec) for line in whole if line.strip()]
    if any(segment.name == "MSH" for segment in segments[1:]):
        raise MessageError(tr("There are several messages in one frame."))
    repaired: list[str] = []
    if repairs_entities:
        segments[1:] = [_repaired(segment, repaired) for segment in segments[1:]]
    return Hl7Message(tuple(segments), tuple(repaired))


def _repaired(segment: Segment, repaired: list[str]) -> Segment:
    delimiters = segment.delimiters
    escapes = {
        getattr(delimiters, part): f"{delimiters.escape}{sequence}{delimiters.escape}"
        for part, sequence in _ESCAPED.items()
    }
    fields = tuple(without_entities(field, escapes) for field in segment.fields)
    repaired += [
        f"{segment.name}-{number}"
        for number, field in enumerate(fields)
        if field != segment.fields[number]
    ]
    return Segment(segment.name, fields, delimiters, segment.codec)


def unescape(value: str, delimiters: Delimiters, codec: str) -> str:
    """Text without escape sequences (HL7 v2.5.1 2.7). A lone escape character stays.

    Formatting commands become a space, highlighting goes. Raises MessageError for hexadecimal
    that is no text in the message's character set, and for a switch of the character set.
    """
    parts = value.split(delimiters.escape)
    out = [parts[0]]
    position = 1
    while position < len(parts):
        if position == len(parts) - 1:  # no second escape character: it stands for itself
            out.append(delimiters.escape + parts[position])
            break
        meaning = _meaning(parts[position], delimiters, codec)
        if meaning is None:
            out.append(delimiters.escape + parts[position])
            position += 1
        else:
            out.append(meaning + parts[position + 1])
            position += 2
    return "".join(out)


def _meaning(sequence: str, delimiters: Delimiters, codec: str) -> str | None:
    """What stands for the sequence, None where it is none and the escape character is text."""
    plain = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "H": "",
        "N": "",
    }.get(sequence)
    if plain is not None:
        return plain
    if _SPACE.fullmatch(sequence):
        return " "
    if re.fullmatch(r"X([0-9A-Fa-f]{2})+", sequence):
        try:
            return bytes.fromhex(sequence[1:]).decode(codec)
        except (UnicodeDecodeError, ValueError):
            raise MessageError(
                tr("The message holds an escape sequence that is no text.")
            ) from None
    if re.fullmatch(r"C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}", sequence):
        raise MessageError(
            tr("The message switches its character set inside a value, which is not read here.")
        )
    return None


def _text(raw: str, subcomponent: int | None, delimiters: Delimiters, codec: str) -> str:
    """See `Composite.text`, of one component; None: of all of it, not divided."""
    if raw.isalnum() and subcomponent in {1, None}:  # most are: nothing in it divides or escapes
        return raw
    value = raw
    if holds_entity(value):
        raise _unreadable()
    if subcomponent is not None and (subcomponent > 1 or delimiters.subcomponent in value):
        parts = value.split(delimiters.subcomponent, subcomponent)
        value = parts[subcomponent - 1] if len(parts) >= subcomponent else ""
    if value in {"", NULL}:
        return ""
    if delimiters.escape in value:
        value = unescape(value, delimiters, codec)
    if not is_readable(value) or holds_entity(value):
        raise _unreadable()
    return value.strip()


def _unreadable() -> MessageError:
    return MessageError(
        tr(
            "A value of the message holds what is no text: a character reference of HTML "
            "(setting html_entities), a control character or a mark for a lost character."
        )
    )


def _stripped(raw: bytes) -> bytes:
    return raw.removeprefix(_UTF_8_MARK).strip(b"\r\n \t\x00")


def _delimiters(line: str) -> Delimiters:
    if not line.startswith("MSH"):
        if line.startswith(("FHS", "BHS")):
            raise MessageError(tr("This is a batch file; messages are taken one by one."))
        raise MessageError(tr("The message does not begin with an MSH segment."))
    field = line[3:4]
    return _checked_delimiters(field, line[4:].split(field, 1)[0] if field else "")


@lru_cache(maxsize=32)
def _checked_delimiters(field: str, encoding: str) -> Delimiters:
    if not 1 <= len(encoding) <= 5 or any(
        character.isalnum() or not "!" <= character <= "~" or character == '"'
        for character in field + encoding
    ):
        raise _bad_delimiters()
    usual = "^~\\&"  # MSH-2 may be cut short; a fifth one (2.7, truncation) is not used
    component, repetition, escape, subcomponent = list(encoding[:4] + usual[len(encoding) :])
    if len({field, component, repetition, escape, subcomponent}) < 5:
        raise _bad_delimiters()
    return Delimiters(field, component, repetition, escape, subcomponent)


def _bad_delimiters() -> MessageError:
    return MessageError(tr("The delimiters in MSH-1 and MSH-2 cannot be used."))


def _charset(msh: Segment) -> str:
    """The set that MSH-18 names, empty for none. A Japanese one counts wherever it stands: its
    escape sequences lead into it, and ASCII is part of it.
    """
    named = [repetition.text() for repetition in msh.repetitions(18)]
    japanese = (term for term in named if term in {"ISO IR14", "ISO IR87", "ISO IR159"})
    return next(japanese, named[0] if named else "")


def _segment(line: str, delimiters: Delimiters, codec: str) -> Segment:
    fields = line.split(delimiters.field)
    if fields[0] == "MSH":
        fields.insert(1, delimiters.field)
    return Segment(fields[0], tuple(fields), delimiters, codec)
