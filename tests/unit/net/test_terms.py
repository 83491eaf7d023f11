"""What an answer to an association request agrees to (PS3.8 9.3.3)."""

import socket
from contextlib import ExitStack
from typing import Any

from pynetdicom.pdu import A_ASSOCIATE_AC
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import build_context

from capture_app.clock import SystemClock
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.dicom.association import EXPLICIT_VR_LE, UNCOMPRESSED, VERIFICATION
from capture_app.net.dicom.upper_layer import (
    APPLICATION_CONTEXT_NAME,
    AcceptedContext,
    Context,
    request_association,
    user_information,
)
from capture_app.net.wire import Wire

DEFLATED = "1.2.840.10008.1.2.1.99"


def acceptance(*transfer_syntaxes: str) -> bytes:
    """An A-ASSOCIATE-AC that accepts each context in such a transfer syntax."""
    results: list[Any] = []
    for number, syntax in enumerate(transfer_syntaxes):
        context = build_context(VERIFICATION, [syntax])
        context.context_id, context.result = 2 * number + 1, 0
        results.append(context)
    answer = A_ASSOCIATE()
    answer.application_context_name = APPLICATION_CONTEXT_NAME
    answer.calling_ae_title, answer.called_ae_title = "CAPTURE", "PACS"
    answer.result, answer.result_source = 0, 1
    answer.presentation_context_definition_results_list = results
    answer.user_information = user_information()
    return A_ASSOCIATE_AC(answer).encode()


def test_a_transfer_syntax_that_was_not_proposed_is_no_agreement() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ours = stack.enter_context(socket.create_connection(server.getsockname()))
        peer = stack.enter_context(server.accept()[0])
        peer.sendall(acceptance(DEFLATED, EXPLICIT_VR_LE, EXPLICIT_VR_LE))
        wire = Wire(ours, "pacs", Deadline.after(SystemClock(), 20), Interruption())
        proposed = [Context(VERIFICATION, UNCOMPRESSED)] * 2
        terms = request_association(wire, calling="CAPTURE", called="PACS", contexts=proposed)
    assert terms.contexts == (AcceptedContext(3, VERIFICATION, EXPLICIT_VR_LE),)
    assert terms.peer_ae_title == "PACS"
