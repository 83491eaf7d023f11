"""Ports of ours that take whoever calls: they work, and somebody should look at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from capture_app.archive.connect import proof_choice
from capture_app.model.words import tr
from capture_app.settings.cross_checks import is_loopback
from capture_app.settings.schema import ProofChoice, Settings


@dataclass(frozen=True, slots=True)
class OpenPort:
    """One port, by the key of the settings that would close it."""

    key: str
    problem: str
    remedy: str


def open_ports(settings: Settings) -> Iterator[OpenPort]:
    """Every port that other computers reach, and of whose callers neither address nor certificate
    is asked for.
    """
    adt = settings.adt
    if adt is not None and not (is_loopback(adt.host) or adt.senders or (adt.tls and adt.ca_file)):
        yield OpenPort(
            "adt.senders",
            tr("Whoever reaches the port of admissions may say who the patients are."),
            tr("Name the interface engine in senders, or set tls and ca_file."),
        )
    for number, archive in enumerate(settings.archives):
        reports = proof_choice(archive) is ProofChoice.STORAGE_COMMITMENT
        if not reports or archive.commitment_port is None or is_loopback(archive.commitment_host):
            continue
        if not archive.report_senders and not (archive.tls and archive.certificate_file):
            yield OpenPort(
                f"archives[{number}].report_senders",
                tr("Whoever knows the archive's AE title may report in its name."),
                tr("Name the archive's address in report_senders, or set tls."),
            )
