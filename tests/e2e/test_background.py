"""What goes on by itself in one process: ports and delivery, in their order."""

from __future__ import annotations

from capture_app.bootstrap import Background, open_services
from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from tests.peers import is_listening
from tests.waiting import eventually


def test_ports_listen_before_anything_is_delivered(hospital: Hospital) -> None:
    """An archive may report at once on what it is asked, and a report that finds no port is lost
    until the archive is asked anew.
    """
    settings = hospital.using_storage_commitment()
    port = settings.archives[0].commitment_port
    assert port is not None
    with (
        open_services(settings, SystemClock()) as rooms,
        Background(rooms) as background,
    ):
        eventually(lambda: background.engine.leads, 10, "this process to deliver")
        assert is_listening(port)
