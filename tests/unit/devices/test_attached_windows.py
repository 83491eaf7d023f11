"""Identities from what Windows calls its cameras."""

import pytest

from capture_app.devices.attached import is_identity
from capture_app.devices.attached_windows import identity_of


@pytest.mark.parametrize(
    ("link", "identity"),
    [
        (
            r"\\?\usb#vid_046d&pid_0825&mi_00#7&2a5b8f3&0&0000#{e5323777-f976-4f5b-9b55}\global",
            "usb:046d:0825:7-2a5b8f3-0-0000",
        ),
        (r"\\?\USB#VID_1D6B&PID_0102&MI_02#A1B2#{65e8773d}", "usb:1d6b:0102:A1B2#2"),
        (r"\\?\root#image#0000#{65e8773d}", "windows:root-image-0000-65e8773d"),
    ],
)
def test_a_symbolic_link_gives_an_identity_that_the_settings_take(link: str, identity: str) -> None:
    assert identity_of(link) == identity
    assert is_identity(identity)
