"""Whether a peer can be reached and lets us ask: for `settings check --connect`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from pydicom.dataset import Dataset

from capture_app.archive.query import STUDY_ROOT_FIND
from capture_app.clock import Clock
from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.words import tr
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import (
    SUCCESS,
    UNCOMPRESSED,
    VERIFICATION,
    Peer,
    open_association,
)
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.http import HttpClient, HttpResponse

_LONGEST_ANSWER: Final = 1 << 20


class Way(StrEnum):
    """How a peer is tried."""

    DIMSE = "C-ECHO"
    FIND = "C-FIND"
    WEB = "DICOMweb"


@dataclass(frozen=True, slots=True)
class EchoResult:
    """One try. `reason` is a sentence for people, empty where it went well."""

    ok: bool
    milliseconds: int
    reason: str = ""
    code: str = ""
    """Of a `DeliveryError`: stable, for programs; empty for what is told by its words alone."""


def echo_dimse(peer: Peer, clock: Clock, deadline_seconds: float) -> EchoResult:
    """C-ECHO on an association of its own (PS3.4 A)."""
    begin = clock.monotonic()
    try:
        contexts = [Context(VERIFICATION, UNCOMPRESSED)]
        with open_association(peer, contexts, Deadline.after(clock, deadline_seconds)) as assoc:
            status = assoc.echo()
    except DeliveryError as error:
        return _result(begin, clock, str(error), error.code)
    if status == SUCCESS:
        return _result(begin, clock)
    words = tr(
        "{name} answered with status {status}.", name=peer.address.name, status=f"{status:04X}"
    )
    return _result(begin, clock, words)


def find_dimse(
    peer: Peer, model: str, identifier: Dataset, clock: Clock, deadline_seconds: float
) -> EchoResult:
    """A question (C-FIND) that finds nothing: many a peer lets anybody echo, and refuses the
    questions of a station that it does not know.
    """
    begin = clock.monotonic()
    try:
        contexts = [Context(model, UNCOMPRESSED)]
        with open_association(peer, contexts, Deadline.after(clock, deadline_seconds)) as assoc:
            for _match in assoc.find(model, identifier, most=1):
                pass
    except RefusedDeliveryError:  # no context: worded elsewhere for images that are not taken
        words = tr("{name} takes no such questions (C-FIND).", name=peer.address.name)
        return _result(begin, clock, words)
    except DeliveryError as error:
        return _result(begin, clock, str(error), error.code)
    return _result(begin, clock)


def find_no_study(peer: Peer, clock: Clock, deadline_seconds: float) -> EchoResult:
    """Asks an archive for a study that nobody has (Study Root, PS3.4 C.6.2)."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = clock.new_uid()
    return find_dimse(peer, STUDY_ROOT_FIND, identifier, clock, deadline_seconds)


def echo_web(
    name: str, url: str, client: HttpClient, clock: Clock, deadline_seconds: float
) -> EchoResult:
    """A search (QIDO-RS, PS3.18 10.6) for an image nobody has: no patient's data moves."""
    begin = clock.monotonic()
    try:
        answer = client.exchange(
            "GET",
            f"{url.rstrip('/')}/instances?SOPInstanceUID={clock.new_uid()}",
            headers={"Accept": "application/dicom+json"},
            longest_answer=_LONGEST_ANSWER,
            deadline=Deadline.after(clock, deadline_seconds),
        )
    except TransientDeliveryError as error:
        return _result(begin, clock, str(error), error.code)
    if answer.status == HTTPStatus.NO_CONTENT or _found_nothing(answer):
        return _result(begin, clock)
    if answer.status == HTTPStatus.OK:
        words = tr(
            "{name} does not answer as DICOMweb: it was asked for an image that nobody has.",
            name=name,
        )
        return _result(begin, clock, words)
    words = tr("{name} answered with HTTP status {status}.", name=name, status=answer.status)
    return _result(begin, clock, words)


def _found_nothing(answer: HttpResponse) -> bool:
    """Whether it is the answer to the question: an empty list, in DICOM JSON (PS3.18 10.6.3)."""
    if answer.status != HTTPStatus.OK:
        return False
    try:
        return not answer.body.strip() or json.loads(answer.body) == []
    except (ValueError, RecursionError):
        return False


def _result(begin: float, clock: Clock, reason: str = "", code: str = "") -> EchoResult:
    return EchoResult(not reason, round(1000 * (clock.monotonic() - begin)), reason, code)
