"""The acceptor that every port of ours shares, with real sockets on 127.0.0.1."""

import os
import resource
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from structlog.testing import capture_logs

from capture_app.clock import SystemClock
from capture_app.errors import TransientDeliveryError
from capture_app.model.reason import Reason
from capture_app.net.callers import ANYBODY, AllowedCallers
from capture_app.net.dicom.event_report_scp import EventReportScp
from capture_app.net.listener import Caller, Listener
from capture_app.net.mllp import MllpListener, framed
from tests.waiting import Eventually

HOST = "127.0.0.1"
CLOCK = SystemClock()
PATIENCE = 20


def echo(caller: Caller) -> None:
    """Answers every byte with itself; "p" proves the caller."""
    while data := caller.sock.recv(1):
        caller.begin_work()
        if data == b"p":
            caller.prove()
        caller.end_work()  # before the answer, so that who hears it knows
        caller.sock.sendall(data)


@contextmanager
def listening(
    serve: Callable[[Caller], None] = echo,
    *,
    most_callers: int = 16,
    allowed: AllowedCallers = ANYBODY,
) -> Iterator[Listener]:
    listener = Listener(
        HOST, 0, serve, name="test", clock=CLOCK, most_callers=most_callers, allowed=allowed
    )
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


def connected(port: int, source: str = HOST) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=PATIENCE, source_address=(source, 0))


def says(sock: socket.socket, data: bytes) -> bytes:
    """The echo; b"" where the other side ended the connection."""
    with suppress(ConnectionError):
        sock.sendall(data)
        return sock.recv(1)
    return b""


def threads() -> int:
    return sum(thread.name == "test-caller" for thread in threading.enumerate())


def test_a_port_that_may_be_elsewhere_is_had_and_nothing_is_told() -> None:
    with socket.create_server((HOST, 0)) as another, capture_logs() as entries:
        listener = Listener(HOST, another.getsockname()[1], echo, name="test", clock=CLOCK)
        listener.start(or_elsewhere=True)
        try:
            with socket.create_connection((HOST, listener.port), PATIENCE) as caller:
                caller.sendall(b"?")
                assert caller.recv(1) == b"?"
        finally:
            listener.stop()
    assert "port-not-had" not in {one["event"] for one in entries}


@pytest.mark.parametrize("name", ["mllp", "event-reports", "receiver"])
def test_a_port_that_cannot_be_had_is_logged_with_its_cause(name: str) -> None:
    with socket.create_server((HOST, 0)) as another, capture_logs() as entries:
        port = another.getsockname()[1]
        listener = Listener(HOST, port, echo, name=name, clock=CLOCK)
        with pytest.raises(OSError, match="in use"):
            listener.start()
        listener.stop()
    (told,) = [one for one in entries if one["event"] == "port-not-had"]
    assert (told["source"], told["host"], told["port"]) == (name, HOST, port)
    assert told["reason"] == "Address already in use"


def test_callers_are_served_side_by_side_and_counted(eventually: Eventually) -> None:
    with listening() as listener:
        with connected(listener.port) as one, connected(listener.port) as two:
            assert (says(one, b"a"), says(two, b"b")) == (b"a", b"b")
            assert listener.callers == 2
        eventually(lambda: listener.callers == 0)


def test_the_cap_holds_at_every_moment(eventually: Eventually) -> None:
    most = [0]

    def counted(caller: Caller) -> None:
        most[0] = max(most[0], threads())
        echo(caller)

    with listening(counted, most_callers=3) as listener, ExitStack() as stack:
        for _ in range(12):
            sock = stack.enter_context(connected(listener.port))
            assert says(sock, b"x") == b"x"
        assert listener.callers == 3
        assert most[0] <= 3
    eventually(lambda: threads() == 0)


def test_the_oldest_newcomer_goes_first_and_who_has_proven_itself_stays() -> None:
    with listening(most_callers=3) as listener, ExitStack() as stack:
        known, first, second = (stack.enter_context(connected(listener.port)) for _ in range(3))
        assert says(known, b"p") == b"p"
        assert says(first, b"x") == says(second, b"x") == b"x"
        newest = stack.enter_context(connected(listener.port))
        assert says(newest, b"x") == b"x"
        assert says(first, b"x") == b""
        assert says(second, b"x") == says(known, b"x") == b"x"


def test_among_the_proven_the_one_that_was_idle_longest_goes() -> None:
    with listening(most_callers=2) as listener, ExitStack() as stack:
        one, two = (stack.enter_context(connected(listener.port)) for _ in range(2))
        assert [says(sock, b"p") for sock in (one, two, one)] == [b"p"] * 3
        newest = stack.enter_context(connected(listener.port))
        assert says(newest, b"x") == b"x"
        assert says(two, b"x") == b""
        assert says(one, b"x") == b"x"


def test_with_all_at_work_the_newest_is_refused_without_a_thread() -> None:
    at_work, go_on = threading.Semaphore(0), threading.Event()

    def works(caller: Caller) -> None:
        caller.begin_work()
        caller.prove()
        at_work.release()
        go_on.wait(PATIENCE)
        caller.sock.sendall(b"!")

    with listening(works, most_callers=2) as listener, ExitStack() as stack:
        callers = [stack.enter_context(connected(listener.port)) for _ in range(2)]
        for _ in callers:
            assert at_work.acquire(timeout=PATIENCE)
        with capture_logs() as entries:
            for _ in range(20):
                with connected(listener.port) as refused:
                    assert refused.recv(1) == b""
                assert threads() == 2
        go_on.set()
        assert [sock.recv(1) for sock in callers] == [b"!", b"!"]
    refusals = [entry for entry in entries if entry["event"] == "caller-refused"]
    assert len(refusals) == 1  # a crowd must not fill the log
    assert refusals[0]["peer"] == HOST


STRANGER = "127.0.0.2"


def test_who_is_not_allowed_gets_no_thread_and_one_line_a_minute() -> None:
    with (
        capture_logs() as entries,
        listening(allowed=AllowedCallers.of([HOST], [])) as listener,
        connected(listener.port) as known,
    ):
        assert says(known, b"x") == b"x"
        for _ in range(20):
            with connected(listener.port, STRANGER) as stranger:
                assert says(stranger, b"x") == b""
            assert threads() == 1
        assert says(known, b"x") == b"x"
    said = [entry for entry in entries if entry["event"] == "caller-not-allowed"]
    assert [entry["peer"] for entry in said] == [STRANGER]


def test_an_address_that_has_all_places_gives_one_to_another_address() -> None:
    """However much it has shown, and however idle the other is."""
    with listening(most_callers=3) as listener, ExitStack() as stack:
        crowd = [stack.enter_context(connected(listener.port, STRANGER)) for _ in range(3)]
        assert [says(sock, b"p") for sock in crowd] == [b"p"] * 3
        known = stack.enter_context(connected(listener.port))
        assert says(known, b"p") == b"p"
        for _ in range(6):  # more of the crowd come, each from the place of one of its own
            more = stack.enter_context(connected(listener.port, STRANGER))
            assert says(more, b"p") == b"p"
        assert says(known, b"x") == b"x"
        assert listener.callers == 3


def test_a_crowd_from_many_addresses_keeps_nobody_out_who_was_here_before() -> None:
    with capture_logs(), listening(most_callers=3) as listener, ExitStack() as stack:
        engine = stack.enter_context(connected(listener.port))
        assert says(engine, b"p") == b"p"
        for number in range(1, 20):  # each with one place, as the engine has
            stack.enter_context(connected(listener.port, f"127.0.2.{number}")).sendall(b"x")
        assert says(engine, b"x") == b"x", "it stays"
        second = stack.enter_context(connected(listener.port))
        assert says(second, b"x") == says(engine, b"x") == b"x", "so does its successor"
        for sock in (engine, second):
            sock.close()
        for number in range(20, 40):
            stack.enter_context(connected(listener.port, f"127.0.2.{number}")).sendall(b"x")
        again = stack.enter_context(connected(listener.port))
        assert says(again, b"x") == b"x", "and does not have to wait when it comes back"


def test_who_proves_himself_from_one_address_gains_nothing_over_a_first_call_of_another() -> None:
    with capture_logs(), listening(most_callers=4) as listener, ExitStack() as stack:
        crowd = [stack.enter_context(connected(listener.port, STRANGER)) for _ in range(3)]
        assert [says(sock, b"p") for sock in crowd] == [b"p"] * 3
        stack.enter_context(connected(listener.port, "127.0.2.1")).sendall(b"x")
        first = stack.enter_context(connected(listener.port))
        assert says(first, b"x") == b"x"
        for _ in range(6):
            stack.enter_context(connected(listener.port, STRANGER)).sendall(b"p")
        assert says(first, b"x") == b"x"


@pytest.mark.expects_log("caller-refused")
def test_not_even_an_address_at_work_in_all_places_keeps_another_out() -> None:
    at_work = threading.Semaphore(0)

    def works_for_the_stranger(caller: Caller) -> None:
        if caller.peer == STRANGER:
            caller.begin_work()
            caller.prove()
            at_work.release()
            caller.sock.recv(1)  # until it is ended
        else:
            echo(caller)

    with listening(works_for_the_stranger, most_callers=3) as listener, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connected(listener.port, STRANGER))
            assert at_work.acquire(timeout=PATIENCE)
        known = stack.enter_context(connected(listener.port))
        assert says(known, b"x") == b"x"
        third = stack.enter_context(connected(listener.port, STRANGER))
        assert third.recv(1) == b""
        assert says(known, b"x") == b"x"


def test_a_caller_that_was_told_to_go_begins_nothing_more() -> None:
    one, other = socket.socketpair()
    with one, other:
        caller = Caller(one, HOST, CLOCK)
        assert caller.give_way()
        with pytest.raises(ConnectionAbortedError):
            caller.begin_work()
        assert caller.interruption.is_interrupted


def test_a_caller_at_work_does_not_give_way_but_a_late_newcomer_does() -> None:
    one, other = socket.socketpair()
    with one, other:
        caller = Caller(one, HOST, CLOCK)
        caller.begin_work()
        assert not caller.give_way()
        assert not caller.give_way(busy_since_before=caller.since - 1)
        caller.prove()
        assert not caller.give_way(busy_since_before=caller.since)
        newcomer = Caller(one, HOST, CLOCK)
        newcomer.begin_work()
        assert newcomer.give_way(busy_since_before=newcomer.since)


def test_a_connection_that_broke_is_noted_with_its_peer_and_a_code(eventually: Eventually) -> None:
    def breaks(caller: Caller) -> None:
        if caller.sock.recv(1) == b"d":
            raise TransientDeliveryError(Reason.of("timeout", name="peer"))
        raise BrokenPipeError

    with capture_logs() as entries, listening(breaks) as listener:
        for data in (b"d", b"o"):
            with connected(listener.port) as sock:
                assert says(sock, data) == b""
        eventually(lambda: listener.callers == 0)
    ended = [entry for entry in entries if entry["event"] == "caller-ended"]
    assert sorted((entry["code"], entry["peer"]) for entry in ended) == [
        ("aborted", HOST),
        ("timeout", HOST),
    ]


@pytest.mark.expects_log("caller-failed")
def test_a_fault_of_ours_ends_that_caller_alone() -> None:
    def fails(caller: Caller) -> None:
        while data := caller.sock.recv(1):
            if data == b"f":
                raise MemoryError
            caller.sock.sendall(data)

    with listening(fails) as listener, connected(listener.port) as well:
        assert says(well, b"x") == b"x"
        with connected(listener.port) as bad:
            assert says(bad, b"f") == b""
        assert says(well, b"x") == b"x"


@pytest.mark.expects_log("accept-failed")
def test_no_thread_for_a_caller_is_no_end_of_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    start, refusals = threading.Thread.start, iter([True])

    def starts_or_not(thread: threading.Thread) -> None:
        if thread.name == "test-caller" and next(refusals, False):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starts_or_not)
    with listening() as listener:
        with connected(listener.port) as unlucky:
            assert says(unlucky, b"x") == b""
        with connected(listener.port) as sock:
            assert says(sock, b"x") == b"x"
            assert listener.callers == 1


def test_callers_that_take_themselves_back_at_once_do_no_harm(eventually: Eventually) -> None:
    with listening(most_callers=4) as listener:
        for _ in range(50):
            sock = connected(listener.port)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()  # with a reset
        eventually(lambda: listener.callers == 0)
        with connected(listener.port) as sock:
            assert says(sock, b"x") == b"x"


def test_stopping_ends_idle_callers_and_the_port_can_be_opened_again() -> None:
    listener = Listener(HOST, 0, echo, name="test", clock=CLOCK)
    for _ in range(2):
        listener.start()
        port = listener.port
        with connected(port) as sock:
            assert says(sock, b"p") == b"p"
            listener.stop()
            assert sock.recv(1) == b""
            assert threads() == 0
        with pytest.raises(ConnectionRefusedError):
            connected(port)
        listener.stop()  # twice is once


@pytest.mark.expects_log("caller-still-served")
def test_stopping_waits_for_work_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("capture_app.net.listener.STOPS_WITHIN_S", 0.2)
    at_work, go_on = threading.Event(), threading.Event()

    def works(caller: Caller) -> None:
        caller.begin_work()
        at_work.set()
        go_on.wait(PATIENCE)

    with listening(works) as listener, connected(listener.port):
        assert at_work.wait(PATIENCE)
        listener.stop()
        assert threads() == 1
        go_on.set()


@pytest.mark.expects_log("port-not-had")
def test_a_port_that_is_taken_is_an_error() -> None:
    with listening() as listener:
        second = Listener(HOST, listener.port, echo, name="test", clock=CLOCK)
        with pytest.raises(OSError, match="in use"):
            second.start()
        assert second.port == listener.port
        second.stop()


@contextmanager
def without_descriptors() -> Iterator[None]:
    """No file can be opened in this process within the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ports() -> dict[str, MllpListener | EventReportScp]:
    return {
        "mllp": MllpListener(
            HOST, 0, lambda _raw, _peer: b"OK", on_too_long=lambda _raw, _peer: b"", clock=CLOCK
        ),
        "event-reports": EventReportScp(
            host=HOST,
            port=0,
            ae_title="CAPTURE",
            known_ae_titles={"PACS": [ANYBODY]},
            sop_class_uid="1.2.840.10008.1.20.1",
            on_report=lambda _report: 0,
            clock=CLOCK,
        ),
    }


@pytest.mark.parametrize(
    ("source", "said", "heard"),
    [
        ("mllp", framed(b"MSH|"), b"\x0b"),
        ("event-reports", b"\x09\x00\x00\x00\x00\x00", b""),  # nonsense: a live port hangs up
    ],
)
def test_a_port_outlives_a_shortage_of_descriptors(
    source: str, said: bytes, heard: bytes, eventually: Eventually
) -> None:
    port = ports()[source]
    port.start()
    try:
        with socket.socket() as sock:  # made before the descriptors end
            sock.settimeout(PATIENCE)
            with capture_logs() as entries, without_descriptors():
                sock.connect((HOST, port.port))
                eventually(lambda: any(e["event"] == "accept-failed" for e in entries))
            sock.sendall(said)
            assert sock.recv(1) == heard
        assert [e["source"] for e in entries if e["event"] == "accept-failed"] == [source]
        with connected(port.port) as sock:
            sock.sendall(said)
            assert sock.recv(1) == heard
    finally:
        port.stop()
