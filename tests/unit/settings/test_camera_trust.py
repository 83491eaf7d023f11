"""How a camera of the network is trusted: keys that need each other, files that can be used."""

from pathlib import Path

import pytest

from tests.certificates import write_certificates
from tests.unit.settings.test_load import Write, faults_of, settings_of, write

__all__ = ["write"]

CAMERA = "[[devices]]\nid = 'c'\nname = 'C'\nkind = 'stream'\naddress = 'https://h/live'\n"
FILM = "[[devices]]\nid = 'f'\nname = 'F'\nkind = 'file'\naddress = '/film'\n"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (CAMERA + "user = 'u'", ["password_key"]),
        (CAMERA + "password_key = 'k'", ["user"]),
        (CAMERA + "ca_file = '{folder}/text.pem'", ["ca_file"]),
        (CAMERA.replace("https", "rtsp") + "ca_file = '{folder}/good.crt'", ["ca_file"]),
        (FILM + "user = 'u'\npassword_key = 'k'", ["user"]),
        (CAMERA.replace("https://", "https://u:p@"), ["address"]),
        (CAMERA + "user = 'u'\npassword_key = 'k'\nca_file = '{folder}/good.crt'", []),
    ],
)
def test_how_a_camera_is_trusted_is_checked(
    write: Write, tmp_path: Path, text: str, keys: list[str]
) -> None:
    write_certificates(tmp_path)
    path = write(text.replace("{folder}", str(tmp_path)))
    if keys:
        assert sorted(faults_of(path)) == [f"devices[0].{key}" for key in keys]
    else:
        assert settings_of(path).devices[0].password_key == "k"
