"""The admissions feed over real sockets, sent by other people's programs and by bad ones."""

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import hl7.client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture_app.clock import SystemClock
from capture_app.errors import FeedError, TransientDeliveryError
from capture_app.model.worklist import PatientListEntry
from capture_app.net.deadline import Deadline
from capture_app.net.mllp import (
    FS,
    VT,
    Limits,
    MllpListener,
    MllpSender,
    Unframer,
    framed,
    send_mllp,
)
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.reporting import ADT
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.waiting import Eventually, eventually

HOST = "127.0.0.1"
NODE = Path(__file__).parents[1] / "node"
MLLP_SEND = Path(sys.executable).with_name("mllp_send")
CLOCK = SystemClock()

ADMIT = (
    "MSH|^~\\&|ADT|HOSP|APP|SITE|20240702080000||ADT^{event}|{id}|P|2.5.1||||||UNICODE UTF-8\r"
    "EVN|{event}|{at}\r"
    "PID|1||{number}^^^HOSP^MR||{name}||19560714|F\r"
    "PV1|1|I|4B^12||||||||||||||||V{number}\r"
)


def adt(
    event: str = "A01",
    *,
    number: str = "7",
    name: str = "Doe^Jane",
    control_id: str = "ID1",
    at: str = "20240702080000",
) -> bytes:
    text = ADMIT.format(event=event, number=number, name=name, id=control_id, at=at)
    return text.encode()


@dataclass(frozen=True, slots=True)
class Running:
    census: Census
    receiver: AdtReceiver
    port: int

    def shown(self) -> list[str]:
        return [entry.patient.name.pn for entry in self.entries()]

    def entries(self) -> tuple[PatientListEntry, ...]:
        return self.census.find("", limit=1000)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Running]:
    adt_feed = AdtFeed(host=HOST, port=0, assigning_authority="HOSP", max_message_bytes=20_000)
    settings = Settings(data_dir=tmp_path / "data", adt=adt_feed)
    census = open_census(tmp_path / "data", Cipher(b"k" * 32), CLOCK, settings)
    receiver = AdtReceiver(census, adt_feed, CLOCK)
    receiver.start()
    try:
        yield Running(census, receiver, receiver.port)
    finally:
        receiver.stop()
        census.close()


@contextmanager
def listening(
    on_message: Callable[[bytes, str], bytes], limits: Limits | None = None
) -> Iterator[MllpListener]:
    listener = MllpListener(
        HOST,
        0,
        on_message,
        on_too_long=lambda _beginning, _peer: b"TOO LONG",
        clock=CLOCK,
        limits=limits or Limits(),
    )
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


def within(seconds: float = 60.0) -> Deadline:
    return Deadline.after(CLOCK, seconds)


# ------------------------------------------------------------------------- other people's senders


def mllp_send(port: int, path: Path, *options: str) -> str:
    done = subprocess.run(
        [MLLP_SEND, *options, "--file", path, "--port", str(port), HOST],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout.decode("utf-8", "replace")


def test_python_hl7_sends_a_day_on_one_connection(feed: Running, tmp_path: Path) -> None:
    day = [
        adt("A01", name="Nguyễn^Thị Mai", control_id="1"),
        adt("A08", name="Nguyễn^Thị Mai~阮^氏梅^^^^^L^I", control_id="2", at="202407020900"),
        adt("A01", number="8", name="الأحمد^محمد", control_id="3"),
        adt("A03", number="8", name="الأحمد^محمد", control_id="4", at="202407021000"),
        adt("Z99", number="9", control_id="5"),
    ]
    (tmp_path / "day.hl7").write_bytes(b"\r\n".join(day))
    said = mllp_send(feed.port, tmp_path / "day.hl7", "--loose")
    for answer in ("MSA|AA|1", "MSA|AA|2", "MSA|AA|3", "MSA|AA|4", "MSA|AR|5"):
        assert answer in said
    (letter,) = feed.census.dead_letters()
    assert letter.ack_code == "AR"
    assert feed.shown() == ["Nguyễn^Thị Mai=阮^氏梅"]  # the other left long ago


def test_python_hl7_sends_frames_as_they_stand(feed: Running, tmp_path: Path) -> None:
    latin = adt(name="Müller^Jörg").decode().replace("UNICODE UTF-8", "8859/1").encode("latin-1")
    (tmp_path / "frames").write_bytes(framed(latin))
    assert "MSA|AA|ID1" in mllp_send(feed.port, tmp_path / "frames")
    assert feed.shown() == ["Müller^Jörg"]


def test_python_hl7_client_sends_hundreds(feed: Running) -> None:
    with hl7.client.MLLPClient(HOST, feed.port) as client:
        for number in range(300):
            message = adt(number=str(number), name=f"Doe{number:03d}^Jane", control_id=str(number))
            assert f"MSA|AA|{number}\r".encode() in client.send_message(message)
    assert len(feed.shown()) == 300


@pytest.mark.parametrize(
    ("name", "charset", "encoding"),
    [
        ("Müller^Jörg", "8859/1", "latin-1"),
        ("Nguyễn^Thị Mai", "UNICODE UTF-8", "utf-8"),
        ("王^小明", "UNICODE UTF-8", "utf-8"),
    ],
)
def test_medplums_client_gets_its_answer(
    feed: Running, tmp_path: Path, name: str, charset: str, encoding: str
) -> None:
    node = shutil.which("node")
    assert node, "node is part of the set-up for tests"
    text = adt(name=name).decode().replace("UNICODE UTF-8", charset)
    (tmp_path / "a.hl7").write_bytes(text.encode(encoding))
    done = subprocess.run(
        [node, NODE / "send_hl7.mjs", tmp_path / "a.hl7", HOST, str(feed.port), encoding],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"MSA|AA|ID1" in done.stdout, done.stderr
    assert feed.shown() == [name]


# --------------------------------------------------------------------------------- our own sender


def test_our_own_sender(feed: Running) -> None:
    assert b"MSA|AA|ID1" in send_mllp(HOST, feed.port, adt(), within())
    with MllpSender(HOST, feed.port, within()) as sender:
        assert b"MSA|AA|X" in sender.send(adt("A08", control_id="X"), within())
        assert b"MSA|AR|Y" in sender.send(adt("Q11", control_id="Y"), within())


def test_our_own_sender_waits_for_no_answer_beyond_its_deadline() -> None:
    def nothing(_message: bytes, _peer: str) -> bytes:
        return b""

    with listening(nothing) as listener, pytest.raises(TransientDeliveryError) as error:
        send_mllp(HOST, listener.port, b"MSH|", within(0.2))
    assert error.value.code == "timeout"
    with pytest.raises(TransientDeliveryError) as error:
        send_mllp(HOST, listener.port, b"MSH|", within())
    assert error.value.code == "refused"


# --------------------------------------------------------------------------------- bad senders


def test_frames_cut_anywhere_and_noise_between_them(feed: Running) -> None:
    with socket.create_connection((HOST, feed.port), timeout=60) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = b"hello\r\n" + framed(adt()) + b"\n\n" + framed(adt("A08", control_id="ID2"))
        for start in range(0, len(stream), 50):
            sock.sendall(stream[start : start + 50])
        answers = b""
        while answers.count(FS) < 2:
            answers += sock.recv(4096)
    assert b"MSA|AA|ID1" in answers
    assert b"MSA|AA|ID2" in answers


def test_a_broken_message_is_answered_and_the_same_connection_goes_on(feed: Running) -> None:
    with MllpSender(HOST, feed.port, within()) as sender:
        assert b"MSA|AE" in sender.send(b"no message", within())
        assert b"MSA|AE" in sender.send(adt(name="Müller").replace("ü".encode(), b"\xfc"), within())
        assert b"MSA|AE|BIG" in sender.send(adt(name="x" * 50_000, control_id="BIG"), within())
        assert b"MSA|AA|ID1" in sender.send(adt(), within())
    assert len(feed.census.dead_letters()) == 3
    assert feed.shown() == ["Doe^Jane"]


@pytest.mark.expects_log("feed-sender-cut-off")
@pytest.mark.parametrize("beginning", [VT, b""], ids=["a message without end", "no message"])
def test_a_sender_without_end_is_cut_off(beginning: bytes) -> None:
    limits = Limits(max_bytes=1_000)
    with (
        listening(lambda _message, _peer: b"OK", limits) as listener,
        socket.create_connection((HOST, listener.port), timeout=60) as sock,
    ):
        sock.sendall(beginning)
        with pytest.raises(ConnectionError):
            _pour_into(sock)


def _pour_into(sock: socket.socket) -> None:
    while True:
        sock.sendall(b"GET / HTTP/1.1\r\n" * 100)


@pytest.mark.parametrize("beginning", [b"", VT + b"MSH|", b"noise"])
def test_neither_silence_nor_half_a_message_holds_a_connection(
    beginning: bytes, eventually: Eventually
) -> None:
    limits = Limits(idle_seconds=0.2, message_seconds=0.2)
    with (
        listening(lambda _message, _peer: b"OK", limits) as listener,
        socket.create_connection((HOST, listener.port), timeout=60) as sock,
    ):
        sock.sendall(beginning)
        assert sock.recv(1) == b""
        eventually(lambda: listener.connections == 0)


def test_a_trickle_does_not_hold_a_connection() -> None:
    limits = Limits(idle_seconds=60, message_seconds=0.3)
    with (
        listening(lambda _message, _peer: b"OK", limits) as listener,
        socket.create_connection((HOST, listener.port), timeout=60) as sock,
    ):
        ended = threading.Event()
        sock.sendall(VT)

        def trickle() -> None:
            try:
                while not ended.wait(0.05):
                    sock.sendall(b"x")
            except OSError:
                return

        drip = threading.Thread(target=trickle)
        drip.start()
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
        finally:
            ended.set()
            drip.join()


def test_an_idle_connection_makes_room_for_a_new_one(eventually: Eventually) -> None:
    limits = Limits(max_connections=2)
    with listening(lambda _message, _peer: b"OK", limits) as listener:
        senders = [MllpSender(HOST, listener.port, within()) for _ in range(2)]
        for sender in senders:
            assert sender.send(b"MSH|", within()) == b"OK"
        for _ in range(5):
            with MllpSender(HOST, listener.port, within()) as one_more:
                assert one_more.send(b"MSH|", within()) == b"OK"
                assert listener.connections <= 2
            eventually(lambda: listener.connections == 1)
        with pytest.raises(TransientDeliveryError):
            senders[0].send(b"MSH|", within())
        for sender in senders:
            sender.close()


def test_a_crowd_that_brings_nothing_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half messages on every connection: they go first, and who has delivered before stays."""
    monkeypatch.setattr("capture_app.net.listener._GRACE_S", 0.0)
    with (
        listening(lambda _message, _peer: b"OK", Limits(max_connections=3)) as listener,
        MllpSender(HOST, listener.port, within()) as known,
        ExitStack() as stack,
    ):
        assert known.send(b"MSH|", within()) == b"OK"
        for _ in range(5):
            crowd = socket.create_connection((HOST, listener.port), timeout=60)
            stack.enter_context(crowd).sendall(VT + b"MSH|")
        for _ in range(3):
            assert send_mllp(HOST, listener.port, b"MSH|", within()) == b"OK"
        assert known.send(b"MSH|", within()) == b"OK"


@pytest.mark.expects_log("caller-refused")
def test_with_all_connections_at_work_a_new_one_is_refused() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(_message: bytes, _peer: str) -> bytes:
        begun.release()
        go_on.wait(60)
        return b"OK"

    answers: list[bytes] = []

    def send(port: int) -> None:
        answers.append(send_mllp(HOST, port, b"MSH|", within()))

    with listening(slow, Limits(max_connections=2)) as listener:
        threads = [threading.Thread(target=send, args=(listener.port,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert begun.acquire(timeout=60)
        with pytest.raises(TransientDeliveryError):
            send_mllp(HOST, listener.port, b"MSH|", within())
        go_on.set()
        for thread in threads:
            thread.join()
    assert answers == [b"OK", b"OK"]


@pytest.mark.expects_log("caller-failed")
def test_a_fault_of_ours_is_not_acknowledged() -> None:
    def broken(_message: bytes, _peer: str) -> bytes:
        raise ZeroDivisionError

    with listening(broken) as listener, pytest.raises(TransientDeliveryError) as error:
        send_mllp(HOST, listener.port, b"MSH|", within())
    assert error.value.code == "aborted"


# --------------------------------------------------------------------------------- start and stop


def test_stopping_leaves_neither_thread_nor_port(feed: Running) -> None:
    senders = [MllpSender(HOST, feed.port, within()) for _ in range(5)]
    for number, sender in enumerate(senders):
        assert b"MSA|AA" in sender.send(adt(number=str(number)), within())
    before = {thread.name for thread in threading.enumerate()}
    assert "mllp-accept" in before
    feed.receiver.stop()
    assert not {t.name for t in threading.enumerate()} & {"mllp-accept", "mllp-caller"}
    with pytest.raises(TransientDeliveryError):
        send_mllp(HOST, feed.port, adt(), within())
    for sender in senders:
        sender.close()
    feed.receiver.stop()  # twice is once


def test_it_can_be_started_again(feed: Running) -> None:
    feed.receiver.stop()
    feed.receiver.start()
    assert b"MSA|AA" in send_mllp(HOST, feed.receiver.port, adt(), within())


@pytest.mark.expects_log("port-not-had")
def test_a_port_that_is_taken_is_told_in_words(feed: Running) -> None:
    taken = AdtFeed(host=HOST, port=feed.port, assigning_authority="HOSP")
    second = AdtReceiver(feed.census, taken, CLOCK)
    with pytest.raises(FeedError, match=f"cannot listen on {HOST}, port {feed.port}"):
        second.start()
    (status,) = feed.census.feed_status()
    assert f"port {feed.port}" in status.problem


def test_the_status_tells_whether_a_sender_is_connected(feed: Running) -> None:
    def connected() -> bool | None:
        return feed.census.feed_status()[0].connected

    assert connected() is False
    with MllpSender(HOST, feed.port, within()) as sender:
        sender.send(adt(), within())
        assert connected() is True
    eventually(lambda: connected() is False)
    assert feed.census.feed_status()[0].name == ADT


def test_several_senders_at_once(feed: Running) -> None:
    def send(which: int) -> None:
        with MllpSender(HOST, feed.port, within(60)) as sender:
            for number in range(40):
                message = adt(number=f"{which}-{number}", control_id=f"{which}-{number}")
                assert b"MSA|AA" in sender.send(message, within(60))

    threads = [threading.Thread(target=send, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(feed.entries()) == 160
    again = replace(feed.entries()[0])
    assert again in feed.census.by_code(again.patient.patient_id.value)


# --------------------------------------------------------------------------- hostile headers

POISON = (
    "\\C2842\\",
    "\\XFF\\",
    "\\M244242\\",
    "O&#39;B",
    "\ufffd",
    "\\",
    "~" * 600,
    '""',
    "\x01",
    "é",
)


def answers(port: int, *messages: bytes) -> list[bytes]:
    """What comes back on one connection up to the answer to the last message."""
    found: list[bytes] = []
    with socket.create_connection((HOST, port), timeout=60) as sock:
        sock.sendall(b"".join(map(framed, messages)))
        unframer = Unframer(100_000)
        while not (found and b"|LAST\r" in found[-1]):
            data = sock.recv(65_536)
            assert data, "the connection ended before the last answer"
            found += [frame.content for frame in unframer.feed(data)]
    return found


def test_whatever_a_message_holds_exactly_one_acknowledgement_leaves(feed: Running) -> None:
    last = adt(control_id="LAST", number="9")
    hostile = st.one_of(
        st.sampled_from(POISON),
        st.text(st.characters(exclude_characters="\r\n\x0b\x1c|", codec="utf-8"), max_size=30),
        st.binary(max_size=20)
        .map(lambda raw: raw.translate(None, b"\r\n\x0b\x1c|"))
        .map(lambda raw: raw.decode("latin-1")),
    ).filter(lambda text: text.strip() not in {"AL", "NE", "ER", "SU"})

    @settings(max_examples=60)
    @given(st.integers(3, 21), hostile, st.sampled_from(["utf-8", "latin-1"]))
    def check(field: int, value: str, codec: str) -> None:
        header, _, rest = adt(number="8").decode().partition("\r")
        fields = header.split("|")
        fields += [""] * (21 - len(fields))
        fields[field - 1] = value
        raw = ("|".join(fields) + "\r" + rest).encode(codec, errors="replace")
        first, second = answers(feed.port, raw, last)
        assert first.count(b"\rMSA|") == 1
        assert b"MSA|AA|LAST" in second

    check()


@pytest.mark.parametrize("field", [9, 10, 11, 15, 16, 18])
def test_a_header_that_cannot_be_read_is_answered_and_kept(feed: Running, field: int) -> None:
    fields = adt().decode().partition("\r")[0].split("|")
    fields[field - 1] = "\\C2842\\"
    raw = "|".join(fields).encode() + b"\r" + adt().partition(b"\r")[2]
    first, second = answers(feed.port, raw, adt(control_id="LAST"))
    assert first.count(b"\rMSA|") == 1
    assert b"MSA|AA|LAST" in second
