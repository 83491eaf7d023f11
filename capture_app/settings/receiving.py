"""The receiver in the settings: the port on which scanners store what they made themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from capture_app.settings.feeds import DICOM_CHARSETS
from capture_app.settings.kinds import (
    CallerCertificates,
    LongText,
    Name,
    Port,
    PortCertificate,
    PortCertificateKey,
    PortTls,
)
from capture_app.settings.rules import (
    AeTitle,
    Between,
    ExistingFile,
    Help,
    Host,
    Items,
    Network,
    OneOf,
)


@dataclass(frozen=True, slots=True)
class SendingScanner:
    """A scanner that may send here: known by its AE title and by where it calls from, both."""

    name: Annotated[Name, Help("What the window and the log call it.")]
    ae_title: Annotated[str, AeTitle(), Help("Its application entity title, calling.")]
    addresses: Annotated[
        tuple[str, ...],
        Network(),
        Items(50),
        Help(
            'The addresses and networks that it calls from, as ["10.20.0.5", "10.30.0.0/28"]; '
            "its AE title is not taken from elsewhere."
        ),
    ]
    certificates: CallerCertificates = ()
    issuer_of_patient_id: Annotated[
        LongText,
        Help(
            "Issuer of Patient ID (0010,0021) of its objects that name none. Empty: without an "
            "issuer an object is nobody's until a person has looked at it."
        ),
    ] = ""
    charset_when_absent: Annotated[
        str,
        OneOf(DICOM_CHARSETS),
        Help("The character set of objects that name none, against the standard."),
    ] = "ISO_IR 6"


@dataclass(frozen=True, slots=True)
class Receiver:
    """The port on which scanners store images by DICOM (C-STORE)."""

    senders: Annotated[
        tuple[SendingScanner, ...],
        Items(50),
        Help("The scanners that may send. All others are refused."),
    ] = ()
    host: Annotated[
        str, Host(), Help("The address on which we listen; 127.0.0.1 is this computer only.")
    ] = "127.0.0.1"
    port: Annotated[Port, Help("The port on which we listen.")] = 11112
    ae_title: Annotated[
        str, AeTitle(may_be_empty=True), Help("Our title there, called; empty: station.ae_title.")
    ] = ""
    tls: PortTls = False
    certificate_file: PortCertificate = ""
    certificate_key_file: PortCertificateKey = ""
    ca_file: Annotated[
        str,
        ExistingFile(),
        Help(
            "Authorities, PEM, that vouch for the scanners: they must show a certificate then. "
            "Empty: scanners are not asked for one."
        ),
    ] = ""
    max_object_mb: Annotated[
        int, Between(1, 350), Help("A longer object ends its association; nothing of it is kept.")
    ] = 128
    max_mb_per_day: Annotated[
        int,
        Between(1, 1_000_000),
        Help("What is kept of all scanners in 24 hours, in MB. What is beyond is refused (A700)."),
    ] = 20_000
