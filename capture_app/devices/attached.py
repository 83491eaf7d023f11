"""Which cameras are plugged into this computer, by an identity that does not change.

A USB camera is `usb:046d:0825:SERIAL`, one without a serial number `usb:046d:0825@PORT`, where the
port is the way through the hubs; of two with one serial number each is named with its port, too.
Any other is `BUS:PLACE`, as the system calls its place (`BUS:PLACE@NAME` where several are there).
`#2` is another picture of the same device (infrared beside colour). What the settings name is
looked for at every opening: the number of a device path may be another camera's tomorrow. Nothing
is opened here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.model.camera import AttachedCamera

SYSTEM: Final = Path("/sys")
"""Where Linux shows its devices."""
_IDENTITY: Final = re.compile(r"[a-z][a-z0-9]+:[^/\\]+")
_USB: Final = re.compile(
    r"usb:(?P<kind>[0-9a-f]{4}:[0-9a-f]{4})(?::(?P<serial>[^@#]*))?(?:@(?P<port>[^#]*))?"
    r"(?:#(?P<part>[0-9.]+))?"
)
_NODE: Final = re.compile(r"video[0-9]+")
_NOT_OF_AN_IDENTITY: Final = re.compile(r"[^A-Za-z0-9._:-]+")
_MOST_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class _Usb:
    """What tells a USB camera from others; empty where it has none, or nobody says."""

    kind: str
    serial: str
    port: str
    part: str

    @classmethod
    def said(cls, identity: str) -> _Usb | None:
        """As the settings write it."""
        match = _USB.fullmatch(identity)
        return None if match is None else cls(**match.groupdict(default=""))

    def is_meant_by(self, wanted: _Usb) -> bool:
        """Whether nothing that is said of the wanted one differs."""
        return (
            (self.kind, self.part) == (wanted.kind, wanted.part)
            and wanted.serial in ("", self.serial)
            and wanted.port in ("", self.port)
        )

    def written(self, all_of_them: Sequence[_Usb]) -> str:
        """Its identity: as short as tells it from a twin."""
        alike = [one for one in all_of_them if (one.kind, one.serial) == (self.kind, self.serial)]
        is_alone = len({one.port for one in alike}) == 1
        serial = f":{self.serial}" if self.serial else ""
        port = "" if self.serial and is_alone else f"@{self.port}"
        return f"usb:{self.kind}{serial}{port}{self.part and f'#{self.part}'}"


@dataclass(frozen=True, slots=True)
class _Node:
    identity: _Usb | str
    name: str
    place: str


def is_identity(address: str) -> bool:
    """Whether an address names a camera by what it is, not by a number or a path."""
    return bool(_IDENTITY.fullmatch(address.strip()))


def attached_cameras(system: Path = SYSTEM) -> tuple[AttachedCamera, ...]:
    """Every camera that is plugged in, in the order of the system's numbers.

    Some may be of a camera's other data, and give no pictures: who opens them is told so.
    """
    if sys.platform == "win32":
        # It can be read on Windows alone.
        from capture_app.devices.attached_windows import attached_by_windows  # noqa: PLC0415

        return attached_by_windows()
    nodes = _nodes(system)
    return tuple(AttachedCamera(_written(node, nodes), node.name, node.place) for node in nodes)


def place_of(address: str, system: Path = SYSTEM) -> str:
    """Where the camera is today that the settings name: a device path, or a number on Windows.

    Numbers and paths stay what they are. Raises DeviceTroubleError where it is not plugged in, and
    where several are that nothing tells apart.
    """
    address = address.strip()
    if sys.platform == "win32":
        if not is_identity(address):
            return address
        fitting = [one.place for one in attached_cameras() if one.identity == address]
    elif not is_identity(address):
        path = f"/dev/video{address}" if address.isdigit() else address
        fitting = [path] if Path(path).exists() else []
    else:
        wanted = _Usb.said(address) or address
        fitting = [node.place for node in _nodes(system) if _is_meant(node, wanted)]
    if not fitting:
        raise DeviceTroubleError(Trouble.NOT_FOUND)
    if len(fitting) > 1:
        raise DeviceTroubleError(Trouble.ALIKE)
    return fitting[0]


def _written(node: _Node, nodes: Sequence[_Node]) -> str:
    """Its identity: as short as tells it from all others."""
    if isinstance(node.identity, _Usb):
        return node.identity.written([n.identity for n in nodes if isinstance(n.identity, _Usb)])
    is_alone = sum(other.identity == node.identity for other in nodes) == 1
    return node.identity if is_alone else _with_name(node)


def _with_name(node: _Node) -> str:
    """For one of several that are at one place, as the channels of some grabbers are."""
    return f"{node.identity}@{_NOT_OF_AN_IDENTITY.sub('-', node.name)[:_MOST_CHARACTERS]}"


def _is_meant(node: _Node, wanted: _Usb | str) -> bool:
    if isinstance(node.identity, _Usb):
        return isinstance(wanted, _Usb) and node.identity.is_meant_by(wanted)
    return wanted in (node.identity, _with_name(node))


def _nodes(system: Path) -> list[_Node]:
    folder = system / "class/video4linux"
    found = [one for one in folder.glob("video*") if _NODE.fullmatch(one.name)]
    found.sort(key=lambda one: int(one.name.removeprefix("video")))
    return [
        _Node(_identity_of(one), _said(one / "name") or one.name, f"/dev/{one.name}")
        for one in found
    ]


def _identity_of(node: Path) -> _Usb | str:
    device = (node / "device").resolve()
    index = _said(node / "index").lstrip("0")
    above = device.parent
    if kind := _said(above / "idVendor"):
        interface = _said(device / "bInterfaceNumber").lstrip("0")
        return _Usb(
            kind=f"{kind}:{_said(above / 'idProduct')}".lower(),
            serial=_NOT_OF_AN_IDENTITY.sub("-", _said(above / "serial"))[:_MOST_CHARACTERS],
            port=above.name,
            part=f"{interface}.{index or 0}" if interface else index,
        )
    bus = (device / "subsystem").resolve().name if device.is_dir() else "virtual"
    place = device.name if device.is_dir() else _said(node / "name") or node.name
    place = _NOT_OF_AN_IDENTITY.sub("-", place)[:_MOST_CHARACTERS]
    return f"{bus}:{place}{index and f'#{index}'}"


def _said(path: Path) -> str:
    """What a file of the system says, in one line; empty where it is not there, or gone by now."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return ""
    return "".join(c for c in text.strip() if c.isprintable())[:256]
