"""Acknowledgements: original mode and the commit level of enhanced mode (HL7 v2.5.1 2.9, 2.15)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.clock import Clock
from capture_app.errors import MessageError
from capture_app.hl7.charset import codec_of
from capture_app.hl7.dates import ts
from capture_app.hl7.split import Hl7Message, Segment

_CONDITIONS: Final = frozenset({"", "AL", "NE", "ER", "SU"})


class AckOutcome(StrEnum):
    """What became of a message: the second letter of the code."""

    ACCEPTED = "A"
    ERROR = "E"
    """It could not be used; sent again unchanged it will not be better."""
    REJECTED = "R"
    """Not ours: type, event or processing ID is not taken here."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message was not used, in words without patient data, and as HL7 table 0357 has it."""

    reason: str
    code: str = "207"
    """100 segment sequence, 101 required field missing, 102 data type, 200 unsupported message
    type, 201 unsupported event code, 202 unsupported processing ID, 207 internal error."""


def build_ack(
    message: Hl7Message | None, outcome: AckOutcome, refusal: Refusal | None, clock: Clock
) -> bytes:
    """The one answer to a message; empty where its sender wants none (MSH-15, MSH-16: NE).

    Whatever the header holds, there is an answer: it is made of what came, byte for byte, and a
    wish that cannot be read is none.

    With MSH-15 or MSH-16 valued (enhanced mode) the answer is the commit acknowledgement CA, CE or
    CR if MSH-15 asks for it, else the application acknowledgement. `message` None answers what
    could not even be read as far as its MSH. The answer is in the delimiters of the message, so
    that what is sent back is what came.
    """
    accept, application = ("", "") if message is None else _wishes(message)
    if accept or application:
        wishes_commit = _is_wished(accept, outcome)
        if not wishes_commit and not _is_wished(application, outcome):
            return b""
        level = "C" if wishes_commit else "A"
    else:
        level = "A"
    return _written(message, level + outcome, refusal, clock)


def _wishes(message: Hl7Message) -> tuple[str, str]:
    """MSH-15 and MSH-16. Where one of them is no condition of table 0155 the sender is answered as
    one that asks for nothing in particular: better an answer too many than none.
    """
    accept, application = (message.msh.raw(field).strip() for field in (15, 16))
    return (accept, application) if {accept, application} <= _CONDITIONS else ("", "")


def _is_wished(condition: str, outcome: AckOutcome) -> bool:
    """Table 0155: always, on error or reject, on success, never."""
    return condition in {"AL", "SU" if outcome is AckOutcome.ACCEPTED else "ER"}


def _written(message: Hl7Message | None, code: str, refusal: Refusal | None, clock: Clock) -> bytes:
    divider, encoding = "|", "^~\\&"
    sender, facility, receiver, receiving, event, control_id = "", "", "", "", "", ""
    processing_id, version, charset = "P", "2.5.1", "UNICODE UTF-8"
    codec = own_codec = "utf_8"
    if message is not None:
        msh = message.msh
        divider, encoding = msh.raw(1), msh.raw(2)
        sender, facility, receiver, receiving = (msh.raw(field) for field in (3, 4, 5, 6))
        event, control_id = _component(msh, 9, 2), msh.raw(10)
        processing_id, version = msh.raw(11) or "P", msh.raw(12) or "2.5.1"
        charset, own_codec = _charset(msh)
        codec = msh.codec
    component = encoding[0]
    if not (event.isascii() and event.isalnum()):
        event = ""
    now = clock.now()
    header = [
        *("MSH", encoding, receiver or "CAPTURE_APP", receiving, sender, facility),
        *(ts(now), "", component.join(part for part in ("ACK", event) if part)),
        *(clock.new_uid()[-20:], processing_id, version, "", "", "", "", "", charset),
    ]
    lines = [divider.join(header).rstrip(divider)]
    # The header may have been read byte for byte: what came goes back the same, whatever it meant,
    # and our own words go out in the set that the message names.
    words = _escaped(refusal.reason, divider, encoding) if refusal else ""
    reason = words.encode(own_codec, errors="xmlcharrefreplace").decode(codec)
    lines.append(divider.join(("MSA", code, control_id, reason)).rstrip(divider))
    if refusal and not version.startswith(("2.1", "2.2", "2.3", "2.4")):  # ERR-3 came with 2.5
        error = component.join((refusal.code, "", "HL70357"))
        lines.append(divider.join(("ERR", "", "", error, "E", "", "", reason)))
    return ("\r".join(lines) + "\r").encode(codec)


def _component(msh: Segment, field: int, component: int) -> str:
    """A component as it stands; empty where it is absent."""
    parts = msh.raw(field).split(msh.delimiters.component)
    return parts[component - 1] if len(parts) >= component else ""


def _charset(msh: Segment) -> tuple[str, str]:
    """MSH-18 as it came and its codec; none, and ASCII, where we could not write in it."""
    try:
        codecs = [codec_of(named.text()) for named in msh.repetitions(18)]
    except MessageError:
        codecs = []
    return (msh.raw(18), codecs[-1]) if codecs else ("", "ascii")


def _escaped(text: str, divider: str, encoding: str) -> str:
    """Our own words have none of these; another language might."""
    return text.translate({ord(character): " " for character in divider + encoding + "\r\n"})
