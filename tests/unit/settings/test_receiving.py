"""The port for scanners in the settings: what cannot be meant is refused with the key."""

from pathlib import Path

import pytest

from capture_app.errors import SettingsError
from capture_app.settings.load import load
from capture_app.settings.receiving import Receiver

SENDER = """
[[receiver.senders]]
name = "us1"
ae_title = "US1"
addresses = ["10.20.0.31", "10.30.0.0/28"]
"""


def read(folder: Path, text: str) -> Receiver | None:
    file = folder / "settings.toml"
    head = f'schema_version = 1\ndata_dir = "{folder / "data"}"\n'
    file.write_text(head + text, encoding="utf-8")
    return load(settings_file=file, data_dir=None, environ={}).receiver


def test_it_is_off_unless_it_is_set_up(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None
    receiver = read(tmp_path, f"[receiver]\n{SENDER}")
    assert receiver is not None
    assert receiver.host == "127.0.0.1"
    assert receiver.senders[0].issuer_of_patient_id == ""


WITH_HOST_BITS = SENDER.replace("10.30.0.0/28", "10.30.0.1/28")
NOWHERE = SENDER.replace('["10.20.0.31", "10.30.0.0/28"]', "[]")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[receiver]\n", "receiver.senders"),
        (f"[receiver]\n{WITH_HOST_BITS}", "receiver.senders[0].addresses"),
        (f"[receiver]\n{NOWHERE}", "receiver.senders[0].addresses"),
        (f"[receiver]\n{SENDER}{SENDER}", "receiver.senders[1].name"),
        (f"[receiver]\ntls = true\n{SENDER}", "receiver.certificate_file"),
        (f"[receiver]\nport = 2575\n{SENDER}[adt]\nport = 2575\n", "receiver.port"),
        (f"[receiver]\nport = 9000\n{SENDER}[health]\nport = 9000\n", "health.port"),
        (f"[receiver]\nmax_object_mb = 400\n{SENDER}", "receiver.max_object_mb"),
        (f"[receiver]\n{SENDER}certificates = ['us1.example.org']\n", "receiver.ca_file"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(tmp_path, text)
    assert key in {fault.key for fault in raised.value.faults}
