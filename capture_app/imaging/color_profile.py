"""The ICC profile of a JPEG, put together from its APP2 segments (ICC.1 Annex B.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_SIGNATURE: Final = b"ICC_PROFILE\x00"
_HEADER_LENGTH: Final = 128
_MOST_TAGS: Final = 256


@dataclass(slots=True)
class IccChunks:
    """The parts of a profile as they come; they may come in any order."""

    _parts: dict[int, bytes] = field(default_factory=dict)
    _count: int = 0
    _is_broken: bool = False

    def add(self, payload: bytes) -> bool:
        """Takes an APP2 payload; False where it is something else (FlashPix, more pictures)."""
        if payload[:12] != _SIGNATURE or len(payload) < 14:
            return False
        number, count = payload[12], payload[13]
        if number in self._parts or (self._count and count != self._count):
            self._is_broken = True
        self._count = count
        self._parts[number] = payload[14:]
        return True

    def __bool__(self) -> bool:
        """Whether the picture spoke of a profile at all."""
        return bool(self._parts)

    def profile(self, *, grey: bool) -> bytes:
        """The whole profile; empty where there is none, or none that fits and can be believed."""
        wanted = list(range(1, self._count + 1))
        if self._is_broken or sorted(self._parts) != wanted:
            return b""
        profile = b"".join(self._parts[number] for number in wanted)
        return profile if is_sound(profile, grey=grey) else b""


def is_sound(profile: bytes, *, grey: bool) -> bool:
    """Whether a profile can be believed, and is one for such pixels (ICC.1 7.2)."""
    return (
        len(profile) > _HEADER_LENGTH
        and int.from_bytes(profile[:4], "big") == len(profile)
        and profile[36:40] == b"acsp"
        and profile[16:20] == (b"GRAY" if grey else b"RGB ")
        and _tags_fill(profile)
    )


def _tags_fill(profile: bytes) -> bool:
    """Whether the profile is its header, its tag table and what that names, and nothing beside: no
    byte is left over but padding (ICC.1 7.2, 7.3).
    """
    count = int.from_bytes(profile[_HEADER_LENGTH : _HEADER_LENGTH + 4], "big")
    done = _HEADER_LENGTH + 4 + 12 * count
    if not 1 <= count <= _MOST_TAGS or done > len(profile):
        return False
    places = []
    for n in range(count):
        at = _HEADER_LENGTH + 4 + 12 * n
        start, length = (int.from_bytes(profile[at + i : at + i + 4], "big") for i in (4, 8))
        places.append((start, start + length))
    for start, end in sorted(places):
        if end > len(profile) or profile[done:start].strip(b"\x00"):
            return False
        done = max(done, end)
    return not profile[done:].strip(b"\x00")
