"""Who may send admissions, over real sockets from several addresses of this computer."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from capture_app.clock import SystemClock
from capture_app.errors import TransientDeliveryError
from capture_app.net.deadline import Deadline
from capture_app.net.mllp import framed, send_mllp
from capture_app.patients.census.census import open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher

HOST = "127.0.0.1"
CLOCK = SystemClock()

MESSAGE = (
    "MSH|^~\\&|ADT|HOSP|||20240702080000||ADT^{event}|ID1|P|2.5.1||||||UNICODE UTF-8\r"
    "EVN|A01|20240702080000\rPID|1||7^^^HOSP^MR||Doe^Jane||19560714|F\r"
    "PV1|1|I|4B^12||||||||||||||||V7\r"
)


def adt(event: str = "A01") -> bytes:
    return MESSAGE.format(event=event).encode()


@pytest.mark.expects_log("caller-not-allowed")
def test_only_the_senders_that_the_site_names_are_heard(tmp_path: Path) -> None:
    adt_feed = AdtFeed(host=HOST, port=0, assigning_authority="HOSP", senders=("127.0.0.2",))
    settings = Settings(data_dir=tmp_path / "data", adt=adt_feed)
    with closing(open_census(tmp_path / "data", Cipher(b"k" * 32), CLOCK, settings)) as census:
        receiver = AdtReceiver(census, adt_feed, CLOCK)
        receiver.start()
        try:
            with pytest.raises(TransientDeliveryError):
                send_mllp(HOST, receiver.port, adt(), Deadline.after(CLOCK, 60))
            place, source = (HOST, receiver.port), ("127.0.0.2", 0)
            with (
                capture_logs() as entries,
                socket.create_connection(place, timeout=60, source_address=source) as engine,
            ):
                engine.sendall(framed(adt("A99")))
                assert b"MSA|AR|ID1" in engine.recv(4096)
                engine.sendall(framed(adt()))
                assert b"MSA|AA|ID1" in engine.recv(4096)
        finally:
            receiver.stop()
        assert len(census.find("")) == 1
    said = [entry for entry in entries if entry["event"] == "feed-message-refused"]
    assert [entry["peer"] for entry in said] == ["127.0.0.2"]


def test_a_refused_message_with_an_event_that_is_no_text_is_answered(tmp_path: Path) -> None:
    adt_feed = AdtFeed(host=HOST, port=0, assigning_authority="HOSP")
    settings = Settings(data_dir=tmp_path / "data", adt=adt_feed)
    raw = adt().replace(b"ADT^A01|", b"ADT^A0\x966|").replace(b"UNICODE UTF-8", b"NONE")
    with closing(open_census(tmp_path / "data", Cipher(b"k" * 32), CLOCK, settings)) as census:
        answer = AdtReceiver(census, adt_feed, CLOCK).handle(raw, HOST)
        assert b"MSA|A" in answer
        assert len(census.dead_letters()) == 1
