"""Messages of a feed as nobody should send them: cut, doubled, of other alphabets, out of frame."""

from __future__ import annotations

from random import Random
from typing import Final

from capture_app.net.mllp import CR, FS, VT, framed
from tests.fuzz.spoiling import spoilt

_EVENTS: Final = (
    *("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13", "A28", "A31"),
    *("A40", "A47", "A18", "A60", "Z99", ""),
)
_NAMES: Final = (
    "Doe^Jane",
    "Müller^Jörg^^^Dr.",
    "王^小明",
    "محمد^علي",
    "O\\T\\Brien&von^Ann\\X0D\\e",
    "^^^^^^",
    '""',
    "A" * 70,
    "\\C2842\\Ω\\M242A\\",
    "\\H\\&amp;#x27;\\N\\",
)
_CHARSETS: Final = (
    "UNICODE UTF-8",
    "8859/1",
    "",
    "ISO IR87",
    "GB 18030-2000",
    "ISO IR6~ISO IR87",
    "NONE",
)
_DATES: Final = ("19560714", "1956", "00000000", "1956-07-14", "20991231", "", '""', "19560231")
_PIECES: Final = (
    "|",
    "^",
    "~",
    "\\",
    "&",
    "\r",
    "\n",
    '""',
    "\x00",
    "\x85",
    "\ufffd",
    "MSH",
    "PID|",
)
_LONGEST: Final = 30_000


def _text(chance: Random, control_id: str) -> str:
    event, number = chance.choice(_EVENTS), chance.randrange(200)
    at = f"202407{chance.randint(1, 2):02}{chance.randrange(26):02}{chance.randrange(62):02}00"
    asks, charset = chance.choice(("", "", "AL", "NE", "ER")), chance.choice(_CHARSETS)
    name, born = chance.choice(_NAMES), chance.choice(_DATES)
    numbers, sex = f"{number}^^^HOSP^MR~N{number}^^^NHS^NI", chance.choice("FMWUA")
    place = f"{chance.choice('IOEN')}|4B^{chance.randrange(9)}^1"
    segments = [
        f"MSH|^~\\&|ADT|HOSP|APP|SITE|{at}||ADT^{event}|{control_id}|P|2.5.1|||{asks}|||{charset}",
        f"EVN|{event}|{at}",
        f"PID|1||{numbers}||{name}||{born}|{sex}",
        f"MRG|{chance.randrange(200)}^^^HOSP^MR" if event in {"A40", "A47", "A18"} else "",
        f"PV1|1|{place}{'|' * 16}V{number}",
    ]
    if chance.random() < 0.1:
        chance.shuffle(segments)
    if chance.random() < 0.1:
        segments += [chance.choice(segments)] * chance.randint(1, 20)
    return "\r".join(filter(None, segments)) + "\r"


def message(chance: Random, control_id: str) -> bytes:
    """One message, mostly no longer whole; nothing in it ends or begins a frame."""
    text = _text(chance, control_id)
    for _ in range(chance.choice((0, 0, 1, 3))):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(_PIECES) * chance.choice((1, 1, 5)) + text[at:]
    raw = text.encode(chance.choice(("utf-8", "utf-8", "latin-1", "utf-16")), "replace")
    draw = chance.random()
    if draw < 0.6:
        raw = spoilt(chance, raw)
    elif draw < 0.65:
        raw = chance.randbytes(chance.randrange(400))
    elif draw < 0.67:
        raw += b"ZZZ|" + b"x" * chance.randrange(_LONGEST) + CR
    return raw.translate(None, VT + FS)


def out_of_frame(chance: Random, raw: bytes) -> bytes:
    """The message in a frame that is spoilt: no end, no beginning, two of one, noise around it."""
    whole = framed(raw)
    match chance.randrange(5):
        case 0:
            return whole.replace(FS, b"")
        case 1:
            return whole.replace(VT, b"")
        case 2:
            return VT + raw[: len(raw) // 2] + whole
        case 3:
            return chance.randbytes(chance.randrange(64)) + whole + FS + FS + CR
        case _:
            return spoilt(chance, whole, most=2)
