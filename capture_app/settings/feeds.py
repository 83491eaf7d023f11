"""The feeds in the settings: admissions and worklists, with what the standards leave to a site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from capture_app.settings.kinds import (
    CallerCertificates,
    LongText,
    Name,
    Port,
    PortCertificate,
    PortCertificateKey,
    PortTls,
    Seconds,
    ShortText,
)
from capture_app.settings.rules import (
    AeTitle,
    Between,
    ExistingFile,
    Help,
    Host,
    Items,
    Matching,
    Network,
    OneOf,
    Text,
    TimeZone,
)

_HL7_CHARSETS: Final = (
    *("ASCII", "UNICODE UTF-8"),
    *(f"8859/{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)),
    *(f"CP{page}" for page in range(1250, 1259)),
    *("ISO IR87", "GB 18030-2000", "KS X 1001", "BIG-5"),
)
DICOM_CHARSETS: Final = (
    *("ISO_IR 6", "ISO_IR 192", "GB18030", "GBK"),
    *(f"ISO_IR {number}" for number in (13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 203)),
    *(f"CP{page}" for page in range(1250, 1259)),
)


class HtmlEntities(StrEnum):
    """What becomes of character references of HTML in a message."""

    REFUSE = "refuse"
    REPAIR = "repair"


Component = Annotated[int, Between(0, 11)]
SexCodes = Annotated[
    tuple[str, ...],
    Matching(r"[^=]{1,20}=[MFOU]", "a code of the feed, =, and M, F, O or U (not known)"),
    Items(50),
    Help(
        'Further codes for the sex, without case: ["W=F", "FEMALE=F", "MALE=M"]. A code that '
        "stands neither here nor in the standard changes nothing and is counted."
    ),
]
UnknownBirthDates = Annotated[
    tuple[str, ...],
    Matching(r"[0-9]{8}", "eight digits, as 19000101"),
    Items(50),
    Help(
        "Birth dates that the feed sends where none is known. Dates in the future and of more than "
        "130 years ago always count as such."
    ),
]


def _written_in(charsets: tuple[str, ...]) -> Matching:
    """The form of an entry that says which of these sets stands under a wrong name."""
    names = "|".join(map(re.escape, charsets))
    return Matching(
        rf"[^=]{{1,32}}=({names})",
        "the set that is named, =, and the set that is used: one of " + ", ".join(charsets),
    )


@dataclass(frozen=True, slots=True)
class PlaceComponents:
    """Where in a place (PV1-3) the ward stands, and the rest; 0 for nowhere."""

    ward: Annotated[
        Component,
        Help("The component that names the ward: 1 point of care, 4 facility, 9 description."),
    ] = 1
    room: Annotated[Component, Help("The component that names the room or the bay.")] = 2
    bed: Annotated[Component, Help("The component that names the bed.")] = 3
    facility: Annotated[Component, Help("The component that names the hospital or the site.")] = 4


@dataclass(frozen=True, slots=True)
class AdtFeed:
    """The admissions feed: HL7 v2 over MLLP, received here (ITI-31)."""

    host: Annotated[
        str, Host(), Help("The address on which we listen; 127.0.0.1 is this computer only.")
    ] = "127.0.0.1"
    port: Annotated[Port, Help("The port on which we listen.")] = 2575
    senders: Annotated[
        tuple[str, ...],
        Network(),
        Items(50),
        Help(
            "The addresses and networks of the systems that send here, as "
            '["10.20.0.5", "10.30.0.0/16"]; all others are hung up on. Empty: everybody who '
            "reaches the port may send."
        ),
    ] = ()
    tls: PortTls = False
    certificate_file: PortCertificate = ""
    certificate_key_file: PortCertificateKey = ""
    ca_file: Annotated[
        str,
        ExistingFile(),
        Help(
            "Authorities, PEM, that vouch for the senders: they must show a certificate then. "
            "Empty: senders are not asked for one."
        ),
    ] = ""
    sender_certificates: CallerCertificates = ()
    assigning_authority: Annotated[
        LongText,
        Help(
            "Which repetition of PID-3 is the patient's number: the one whose assigning authority "
            "(CX-4, namespace or universal ID) is this. Empty: the identifier type alone decides."
        ),
    ] = ""
    identifier_type: Annotated[
        ShortText,
        Help("Which repetition of PID-3 is the patient's number: identifier type code (CX-5)."),
    ] = "MR"
    default_charset: Annotated[
        str,
        OneOf(_HL7_CHARSETS),
        Help("The character set of a message that names none in MSH-18 (HL7 table 0211)."),
    ] = "UNICODE UTF-8"
    charsets: Annotated[
        tuple[str, ...],
        _written_in(_HL7_CHARSETS),
        Items(20),
        Help(
            "Character sets under a wrong name: what MSH-18 says, and what the sender writes, as "
            '["8859/1=CP1252"]. Without it such a message is refused.'
        ),
    ] = ()
    html_entities: Annotated[
        HtmlEntities,
        Help(
            "A message with character references of HTML (`O&#39;Brien`) in the name or the number "
            "is refused, or read with the characters that they stand for."
        ),
    ] = HtmlEntities.REFUSE
    sex_codes: SexCodes = ()
    unknown_birth_dates: UnknownBirthDates = ()
    place: Annotated[
        PlaceComponents, Help("Where in PV1-3 the ward, the room, the bed and the site stand.")
    ] = PlaceComponents()
    zone: Annotated[
        str,
        TimeZone(),
        Help(
            "The zone of the feed's times that name no offset from UTC; summer time counts by "
            "the date of each. Empty: the zone of this computer."
        ),
    ] = ""
    processing_id: Annotated[
        str,
        OneOf(("P", "T", "D")),
        Help("Messages with another processing ID (MSH-11) are refused: test data stays out."),
    ] = "P"
    wards: Annotated[
        tuple[str, ...],
        Text(64, may_be_empty=False),
        Items(500),
        Help("Wards (as `place` finds them) whose patients are listed; empty: all."),
    ] = ()
    max_message_bytes: Annotated[
        int, Between(1_000, 50_000_000), Help("A longer message is refused; its beginning is kept.")
    ] = 1_000_000
    max_mb_per_day: Annotated[
        int,
        Between(1, 100_000),
        Help(
            "What is stored of all senders in a day (UTC), in MB, each message with 2 kB more. "
            "What is beyond is answered AE and not kept."
        ),
    ] = 1000
    max_mb_per_day_of_a_sender: Annotated[
        int, Between(1, 100_000), Help("The same for one address (of IPv6: for one /64).")
    ] = 250
    closed_visible_hours: Annotated[
        int, Between(0, 720), Help("How long a discharged patient stays in the list.")
    ] = 24


@dataclass(frozen=True, slots=True)
class Worklist:
    """A Modality Worklist provider that is asked for orders (PS3.4 K)."""

    name: Annotated[Name, Help("What the window and the log call it.")]
    host: Annotated[str, Host(), Help("Where it listens.")]
    port: Annotated[Port, Help("Where it listens.")]
    ae_title: Annotated[str, AeTitle(), Help("Its application entity title.")]
    poll_seconds: Annotated[float, Between(5, 86_400), Help("How often it is asked.")] = 60.0
    station_ae_title: Annotated[
        str,
        AeTitle(may_be_empty=True),
        Help("Asks only for steps scheduled for this AE title; empty: for any."),
    ] = ""
    modality: Annotated[
        str,
        Matching(r"[A-Z0-9]{0,16}", "empty, or a DICOM modality such as XC or US"),
        Help("Asks only for steps of this modality; empty: of any."),
    ] = ""
    charset_when_absent: Annotated[
        str,
        OneOf(DICOM_CHARSETS),
        Help("The character set of answers that name none, against the standard."),
    ] = "ISO_IR 6"
    charsets: Annotated[
        tuple[str, ...],
        _written_in(DICOM_CHARSETS),
        Items(20),
        Help(
            "Character sets under a wrong name: what an answer names, and what it is written in, "
            'as ["ISO_IR 100=ISO_IR 101"].'
        ),
    ] = ()
    html_entities: Annotated[
        HtmlEntities,
        Help(
            "An item with character references of HTML (`O&#39;Brien`) in the name or the number "
            "is left out, or read with the characters that they stand for."
        ),
    ] = HtmlEntities.REFUSE
    sex_codes: SexCodes = ()
    unknown_birth_dates: UnknownBirthDates = ()
    place: Annotated[
        PlaceComponents,
        Help("Where in Current Patient Location (0038,0300) the ward and the rest stand."),
    ] = PlaceComponents()
    zone: Annotated[
        str,
        TimeZone(),
        Help(
            "The zone of times where an answer names no offset from UTC, by the date of each. "
            "Empty: the zone of this computer."
        ),
    ] = ""
    max_items: Annotated[int, Between(1, 50_000), Help("More answers are cancelled and told.")] = (
        2000
    )
    deadline_seconds: Annotated[Seconds, Help("The longest that one question may take.")] = 30.0
