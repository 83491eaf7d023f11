"""An answer counts only if it is one to what was asked (PS3.7 9.3, 10.3)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from capture_app.clock import SystemClock
from capture_app.errors import TransientDeliveryError
from capture_app.model.part10_file import Part10File
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom.association import VERIFICATION, Association, EventReport
from capture_app.net.dicom.dimse_messages import Conversation, encoded_command
from capture_app.net.dicom.upper_layer import AcceptedContext, Terms, data_pdus
from capture_app.net.wire import Wire

IMPLICIT = "1.2.840.10008.1.2"
PHOTO = "1.2.840.10008.5.1.4.1.1.77.1.4"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
COMMITMENT = "1.2.840.10008.1.20.1"
WELL_KNOWN = "1.2.840.10008.1.20.1.1"
CONTEXTS = {PHOTO: 1, VERIFICATION: 3, FIND: 5, COMMITMENT: 7}

C_STORE_RSP, C_ECHO_RSP, C_FIND_RSP = 0x8001, 0x8030, 0x8020
N_ACTION_RSP, N_EVENT_REPORT_RQ = 0x8130, 0x0100


@dataclass(frozen=True, slots=True)
class Line:
    """Our end as an association, and the other end as a bare socket."""

    assoc: Association
    peer: socket.socket

    def will_answer(self, context_id: int, data: bytes = b"", **elements: object) -> None:
        """Writes an answer before it is asked for: the first message id is 1."""
        kind = 0x0001 if data else 0x0101
        command = encoded_command(CommandDataSetType=kind, **elements)
        for part, is_command in ((command, True), (data, False)):
            pdus = data_pdus(context_id, (part,), is_command=is_command, longest=1 << 14)
            self.peer.sendall(b"".join(pdus))


@pytest.fixture
def line() -> Iterator[Line]:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ours = stack.enter_context(socket.create_connection(server.getsockname()))
        peer = stack.enter_context(server.accept()[0])
        contexts = tuple(AcceptedContext(n, uid, IMPLICIT) for uid, n in CONTEXTS.items())
        wire = Wire(ours, "pacs", Deadline.after(SystemClock(), 20), Interruption())
        yield Line(Association(Conversation(wire, Terms("PACS", contexts, 1 << 14))), peer)


def store(assoc: Association) -> object:
    return assoc.store(
        Part10File.of(b"\0" * 8),
        sop_class_uid=PHOTO,
        sop_instance_uid="1.2.3",
        transfer_syntax_uid=IMPLICIT,
    )


def echo(assoc: Association) -> object:
    return assoc.echo()


def find(assoc: Association) -> object:
    return len(list(assoc.find(FIND, Dataset(), most=5)))


def act(assoc: Association) -> object:
    return assoc.action(COMMITMENT, WELL_KNOWN, 1, Dataset())


@pytest.mark.parametrize(
    ("ask", "context_id", "right"),
    [
        (store, 1, {"CommandField": C_STORE_RSP, "AffectedSOPClassUID": UID(PHOTO),
                    "AffectedSOPInstanceUID": UID("1.2.3")}),
        (echo, 3, {"CommandField": C_ECHO_RSP, "AffectedSOPClassUID": UID(VERIFICATION)}),
        (find, 5, {"CommandField": C_FIND_RSP, "AffectedSOPClassUID": UID(FIND)}),
        (act, 7, {"CommandField": N_ACTION_RSP, "AffectedSOPClassUID": UID(COMMITMENT),
                  "AffectedSOPInstanceUID": UID(WELL_KNOWN)}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"AffectedSOPClassUID": None, "AffectedSOPInstanceUID": None},
        {"CommandField": C_ECHO_RSP},
        {"CommandField": C_STORE_RSP},
        {"CommandField": C_FIND_RSP},
        {"MessageIDBeingRespondedTo": 2},
        {"MessageIDBeingRespondedTo": None},
        {"AffectedSOPClassUID": UID("1.2.9")},
        {"AffectedSOPInstanceUID": UID("1.2.9")},
        {"context": 3},
        {"context": 5},
    ],
)
def test_any_other_answer_is_no_answer(
    line: Line,
    ask: Callable[[Association], object],
    context_id: int,
    right: dict[str, Any],
    change: dict[str, Any],
) -> None:
    right = {"MessageIDBeingRespondedTo": 1, "Status": 0x0000, "context": context_id, **right}
    answer = {**right, **change}
    left_out = {keyword for keyword, value in answer.items() if value is None}
    is_right = left_out <= {"AffectedSOPClassUID", "AffectedSOPInstanceUID"} and all(
        keyword in left_out or value == right.get(keyword) for keyword, value in answer.items()
    )
    at = answer.pop("context")
    line.will_answer(at, **{k: v for k, v in answer.items() if k not in left_out})
    if is_right:
        assert ask(line.assoc) == 0
        return
    with pytest.raises(TransientDeliveryError) as caught:
        ask(line.assoc)
    assert caught.value.code == "protocol"


@pytest.mark.parametrize(("context_id", "is_taken"), [(7, True), (3, False)])
def test_a_report_comes_on_the_context_of_its_service(
    line: Line, context_id: int, *, is_taken: bool
) -> None:
    reports: list[EventReport] = []

    def take(report: EventReport) -> int:
        reports.append(report)
        return 0x0000

    line.assoc.on_event_report = take
    line.will_answer(
        context_id,
        b"\x08\x00\x95\x11\x04\x00\x00\x001.2\0",
        CommandField=N_EVENT_REPORT_RQ,
        MessageID=1,
        AffectedSOPClassUID=UID(COMMITMENT),
        AffectedSOPInstanceUID=UID(WELL_KNOWN),
        EventTypeID=1,
    )
    if is_taken:
        assert line.assoc.listen(20)
        (report,) = reports
        assert (report.ae_title, report.sop_class_uid) == ("PACS", COMMITMENT)
        assert (report.sop_instance_uid, report.event_type_id) == (WELL_KNOWN, 1)
        assert report.information.TransactionUID == "1.2"
        return
    with pytest.raises(TransientDeliveryError) as caught:
        line.assoc.listen(20)
    assert caught.value.code == "protocol"
    assert reports == []


def test_a_match_of_too_many_elements_is_refused_before_it_is_decoded(line: Line) -> None:
    item = b"\xfe\xff\x00\xe0\x00\x00\x00\x00"
    crowded = b"\x08\x00\x40\x11" + (8 * 12_000).to_bytes(4, "little") + item * 12_000
    line.will_answer(
        5, crowded, CommandField=C_FIND_RSP, MessageIDBeingRespondedTo=1, Status=0xFF00
    )
    with pytest.raises(TransientDeliveryError) as caught:
        list(line.assoc.find(FIND, Dataset(), most=5))
    assert caught.value.code == "protocol"


def test_a_match_of_too_many_values_is_refused_before_it_is_decoded(line: Line) -> None:
    """A megabyte of backslashes would take a decoder seconds."""
    number = b"\x10\x00\x20\x00" + (20_000).to_bytes(4, "little") + b"\\" * 20_000
    line.will_answer(5, number, CommandField=C_FIND_RSP, MessageIDBeingRespondedTo=1, Status=0xFF00)
    with pytest.raises(TransientDeliveryError) as caught:
        list(line.assoc.find(FIND, Dataset(), most=5))
    assert caught.value.code == "protocol"
