"""Settings that can be read and cannot work: each is a fault of its own, and nothing is written."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from capture_app.archive.connect import commitment_listeners
from capture_app.bootstrap import open_data_folder
from capture_app.clock import FixedClock, SystemClock
from capture_app.diagnostics.cannot_work import cannot_work
from capture_app.model.device import DeviceKind
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.receiving import Receiver, SendingScanner
from capture_app.settings.schema import (
    ArchiveDestination,
    Capture,
    Device,
    KeyStore,
    ProofChoice,
    Security,
    Settings,
    Station,
)
from tests.certificates import certificate_between
from tests.peers import free_port

Faults = Callable[[Settings], dict[str, str]]
ALL = "0.0.0.0"  # noqa: S104 - it is looked at
PACS = ArchiveDestination(
    "pacs",
    host="pacs.example.org",
    port=104,
    ae_title="PACS",
    proof=ProofChoice.STORAGE_COMMITMENT,
    commitment_host="0.0.0.0",  # noqa: S104 - what the settings would say; nothing listens
    commitment_port=11113,
)


@pytest.fixture
def faults(clock: FixedClock) -> Faults:
    def found(settings: Settings) -> dict[str, str]:
        told = cannot_work(settings, lambda key: f"file of {key}", clock)
        assert all(fault.file == f"file of {fault.key}" for fault in told)
        return {fault.key: fault.problem for fault in told}

    return found


@pytest.fixture
def good(tmp_path: Path) -> Settings:
    security = Security(key_store=KeyStore.FILE, key_file=str(tmp_path / "keys" / "capture.key"))
    return Settings(
        tmp_path / "data",
        station=Station(department="wound care"),
        adt=AdtFeed(),
        archives=(PACS,),
        security=security,
        capture=Capture(favourites=("WND-PRESSURE",)),
    )


def test_what_can_work_has_no_fault_and_nothing_is_written(
    good: Settings, faults: Faults, tmp_path: Path, clock: FixedClock
) -> None:
    assert faults(good) == {}
    assert not list(tmp_path.iterdir())
    with open_data_folder(good, clock):
        pass
    assert faults(good) == {}, "neither before the first start nor after it"


def test_without_patients_or_archive_nothing_can_be_done(good: Settings, faults: Faults) -> None:
    assert faults(replace(good, adt=None, archives=())) == {
        "adt": "Nothing says who the patients are.",
        "archives": "There is no archive that pictures could go to.",
    }


@pytest.mark.parametrize(
    ("changed", "key", "words"),
    [
        ({"commitment_host": "127.0.0.1"}, "commitment_host", "another computer: its report"),
        ({"commitment_host": "localhost"}, "commitment_host", "another computer: its report"),
        ({"commitment_host": "192.0.2.7"}, "commitment_host", "does not have this address"),
        ({"commitment_host": "no.such.invalid"}, "commitment_host", "Nothing knows this name"),
        ({"commitment_port": None, "proof": ProofChoice.AUTO}, "proof", "further than Listed"),
    ],
)
def test_an_archive_that_could_never_prove_is_a_fault(
    good: Settings, faults: Faults, changed: dict[str, object], key: str, words: str
) -> None:
    apart = {"commitment_port": 11_115, **changed}
    archive = replace(PACS, **apart)  # type: ignore[arg-type]
    found = faults(replace(good, archives=(PACS, archive)))
    assert list(found) == [f"archives[1].{key}"]
    assert words in found[f"archives[1].{key}"]


def test_an_archive_on_this_computer_may_report_here(good: Settings, faults: Faults) -> None:
    local = replace(PACS, host="localhost", commitment_host="127.0.0.1")
    assert faults(replace(good, archives=(local,))) == {}


def test_archives_that_share_a_port_agree_in_tls(good: Settings, faults: Faults) -> None:
    secure = replace(PACS, name="b", tls=True, certificate_file="c", certificate_key_file="k")
    key = "archives[1].commitment_port"

    def said(*archives: ArchiveDestination) -> str:
        return faults(replace(good, archives=archives)).get(key, "")

    for one, other in (
        (PACS, secure),
        (secure, replace(PACS, name="c")),
        (secure, replace(secure, name="c", ca_file="theirs")),
    ):
        assert "without TLS" in said(one, other)
        assert not said(one, replace(other, commitment_port=11114))
    assert not said(PACS, replace(PACS, name="c"))
    assert not said(PACS, replace(PACS, name="c", tls=True))  # ours speaks none of it
    assert not said(secure, replace(secure, name="c"))


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (ALL, "127.0.0.1", True),
        ("127.0.0.1", ALL, True),
        ("::", "127.0.0.1", True),
        (ALL, "::", True),
        ("::", "::1", True),
        ("localhost", "127.0.0.1", True),
        (ALL, "localhost", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "::1", False),
        (ALL, "::1", False),
        (ALL, ALL, False),
        ("127.0.0.1", "no-such-host.invalid", False),
    ],
)
def test_reports_to_one_port_at_addresses_that_meet_are_told(
    good: Settings, faults: Faults, one: str, other: str, *, clash: bool
) -> None:
    """As the system has it: the second cannot be bound."""
    at = free_port()
    local = replace(PACS, host="localhost", commitment_host=one, commitment_port=at)
    second = replace(local, name="b", commitment_host=other)
    key = "archives[1].commitment_host"
    told = faults(replace(good, archives=(local, second))).get(key, "")
    assert ("only one of them can listen" in told) is clash
    apart = replace(second, commitment_port=at + 1)
    assert "only one" not in faults(replace(good, archives=(local, apart))).get(key, "")
    if one == other or other.endswith(".invalid"):
        return
    first = commitment_listeners([local, second], Station(ae_title="CAPTURE"), SystemClock())
    ports = [first["b"], first[local.name]]
    try:
        ports[1].start()
        if clash:
            with capture_logs() as logged, pytest.raises(OSError, match="in use"):
                ports[0].start()
            assert [one["event"] for one in logged] == ["port-not-had"]
        else:
            ports[0].start()
    finally:
        for port in ports:
            port.stop()


def test_the_feed_listens_on_an_address_that_is_here(good: Settings, faults: Faults) -> None:
    assert faults(replace(good, adt=AdtFeed(host="::1", port=2575))) == {}
    found = faults(replace(good, adt=AdtFeed(host="192.0.2.7")))
    assert found == {"adt.host": "This computer does not have this address."}


def test_a_port_that_no_scanner_reaches_is_a_fault(good: Settings, faults: Faults) -> None:
    near = Receiver((SendingScanner("us1", "US1", ("127.0.0.1",)),))
    assert faults(replace(good, receiver=near)) == {}
    far = replace(near, senders=(SendingScanner("us1", "US1", ("10.20.0.31",)),))
    found = faults(replace(good, receiver=far))
    assert list(found) == ["receiver.host"]
    assert "cannot reach this address" in found["receiver.host"]
    found = faults(replace(good, receiver=replace(far, host="192.0.2.7")))
    assert found == {"receiver.host": "This computer does not have this address."}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_port_of_this_computer_alone_is_reached_by_nobody_who_is_named(
    good: Settings, faults: Faults, host: str
) -> None:
    afar, near, both = ("10.20.0.5", "fd00::/8"), ("127.0.0.1", "::1"), ("127.0.0.1", "10.0.0.0/8")
    cases = ((afar, True), (both, True), (near, False), (("0.0.0.0/0",), False), ((), False))
    for senders, is_fault in cases:
        adt = AdtFeed(host=host, senders=senders)
        receiver = Receiver((SendingScanner("us", "US1", senders),), host=host)
        found = faults(replace(good, adt=adt, receiver=receiver))
        assert set(found) == ({"adt.host", "receiver.host"} if is_fault else set())
        assert all("are other computers" in problem for problem in found.values())


def test_an_expired_certificate_is_a_fault(
    good: Settings, faults: Faults, tmp_path: Path, clock: FixedClock
) -> None:
    ends = clock.now() - timedelta(days=1)
    (tmp_path / "own.pem").write_bytes(certificate_between(ends - timedelta(days=90), ends))
    archive = replace(PACS, certificate_file=str(tmp_path / "own.pem"))
    found = faults(replace(good, archives=(archive,)))
    assert found == {"archives[0].certificate_file": "It expired on 2024-07-01."}


def test_what_the_catalogue_does_not_know_is_a_fault(good: Settings, faults: Faults) -> None:
    unknown = replace(
        good,
        station=Station(department="Wound caer"),
        capture=Capture(favourites=("WND-PRESSURE", "WND-NONE")),
    )
    assert faults(unknown) == {
        "station.department": "The catalogue has no such department.",
        "capture.favourites": "The catalogue has no WND-NONE that can be chosen.",
    }


def test_a_data_folder_that_cannot_be_used_is_a_fault(
    good: Settings, faults: Faults, tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "file").touch()
    assert faults(replace(good, data_dir=tmp_path / "file" / "data")) == {
        "data_dir": "It is no folder."
    }
    with open_data_folder(good, clock):
        pass
    assert faults(replace(good, practice=True))["data_dir"] == "The folder is for another use."
    good.data_dir.chmod(0o777)
    assert faults(good)["data_dir"].startswith("Others could change what is in it")
    if os.geteuid():  # root writes everywhere
        good.data_dir.chmod(0o500)
        assert faults(good) == {"data_dir": "This user cannot write the folder."}


def test_a_missing_or_foreign_key_is_a_fault_and_none_is_made(
    good: Settings, faults: Faults, clock: FixedClock
) -> None:
    with open_data_folder(good, clock):
        pass
    key = Path(good.security.key_file)
    right = key.read_text()
    key.write_text("0" * 64)
    assert "is not the key of" in faults(good)["security.key_file"]
    key.unlink()
    assert "is missing. Bring back" in faults(good)["security.key_file"]
    assert not key.exists()
    key.touch(mode=0o600)
    key.write_text(right)
    key.chmod(0o644)
    assert "closed to all others" in faults(good)["security.key_file"]


def test_a_key_that_could_not_be_made_is_a_fault(
    good: Settings, faults: Faults, tmp_path: Path
) -> None:
    (tmp_path / "keys").touch()
    assert list(faults(good)) == ["security.key_file"]


def test_a_key_store_that_is_not_allowed_is_a_fault(good: Settings, faults: Faults) -> None:
    found = faults(replace(good, security=Security()))
    assert "is not an allowed one" in found["security.key_store"]


def test_a_password_that_is_not_there_is_a_fault(good: Settings, faults: Faults) -> None:
    archive = replace(PACS, url="https://pacs/x", user="u", password_key="pacs-web")
    found = faults(replace(good, archives=(archive,)))
    assert found == {
        "archives[0].password_key": "The key store has no entry pacs-web of capture-app."
    }


def test_a_cameras_password_that_is_not_there_is_a_fault(good: Settings, faults: Faults) -> None:
    camera = Device(
        "theatre",
        "Theatre",
        DeviceKind.STREAM,
        "https://camera.example.org/video",
        user="u",
        password_key="theatre-camera",
    )
    found = faults(replace(good, devices=(camera,)))
    assert found == {
        "devices[0].password_key": "The key store has no entry theatre-camera of capture-app."
    }


def test_a_key_beside_which_the_trail_cannot_be_noted_is_a_fault(
    good: Settings, faults: Faults, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_data_folder(good, clock):
        pass
    keys, access = Path(good.security.key_file).parent, os.access
    # Not by its mode: root, who may run this, writes everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != keys and access(path, mode))
    assert faults(good) == {
        "security.key_file": "This user cannot write the folder. "
        "How far the trail goes is noted there."
    }
