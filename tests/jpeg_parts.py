"""The parts of a JPEG, found and put in by hands of its own: the product is judged by them."""

from typing import Any

SOI = b"\xff\xd8"


def entropy_coded(jpeg: bytes) -> bytes:
    """From the first SOS marker to EOI, both included: what must be equal in what a camera gave and
    in what an archive holds. ValueError where there is no scan.
    """
    at = 2
    while jpeg[at + 1] != 0xDA:
        if jpeg[at] != 0xFF:
            raise ValueError("no marker where one must be")
        at += 1 if jpeg[at + 1] == 0xFF else 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return jpeg[at : jpeg.index(b"\xff\xd9", at) + 2]


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def with_segments(data: bytes, *segments: bytes) -> bytes:
    return SOI + b"".join(segments) + data[2:]


def without_jfif(data: bytes) -> bytes:
    assert data[2:4] == b"\xff\xe0"
    return SOI + data[4 + int.from_bytes(data[4:6], "big") :]


def icc_segments(profile: bytes, size: int = 200) -> list[bytes]:
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    return [
        segment(0xE2, b"ICC_PROFILE\x00" + bytes((number, len(parts))) + part)
        for number, part in enumerate(parts, start=1)
    ]


def exif(orientation: int = 1, **facts: Any) -> bytes:
    """An EXIF segment, of what `tiff` takes."""
    return segment(0xE1, b"Exif\x00\x00" + tiff(orientation, **facts))


def tiff(
    orientation: int = 1,
    *,
    color_space: int = 1,
    interop: bytes = b"R98\x00",
    resolution: tuple[int, int] = (72, 72),
    taken: str = "",
    offset: str = "",
    fraction: str = "",
) -> bytes:
    """A little-endian TIFF as a camera writes it; a text that is empty is left out."""
    texts = [(0x9003, taken), (0x9011, offset), (0x9291, fraction)]
    blobs = [text.encode() + b"\x00" for _, text in texts if text]
    places: list[int] = []
    rows = [5, 2 + len(blobs), 1]
    starts = [8]
    for count in rows:
        starts.append(starts[-1] + 2 + 12 * count + 4)
    at = starts[-1]
    for blob in (bytes(16), *blobs):
        places.append(at)
        at += len(blob)

    def entry(tag: int, kind: int, value: bytes, count: int = 1) -> bytes:
        head = tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little")
        return head + value.ljust(4, b"\x00")

    def place(at: int) -> bytes:
        return at.to_bytes(4, "little")

    first = [
        entry(0x112, 3, orientation.to_bytes(2, "little")),
        entry(0x11A, 5, place(places[0])),
        entry(0x11B, 5, place(places[0] + 8)),
        entry(0x8769, 4, place(starts[1])),
        entry(0x8825, 4, place(8)),
    ]
    second = [
        entry(0xA001, 3, color_space.to_bytes(2, "little")),
        entry(0xA005, 4, place(starts[2])),
    ]
    tags = [tag for tag, text in texts if text]
    for tag, at, blob in zip(tags, places[1:], blobs, strict=True):
        value = place(at) if len(blob) > 4 else blob
        second.append(entry(tag, 2, value, len(blob)))
    directories = b"".join(
        len(rows).to_bytes(2, "little") + b"".join(rows) + bytes(4)
        for rows in (first, second, [entry(1, 2, interop, len(interop))])
    )
    densities = b"".join(place(n) + place(1) for n in resolution)
    return b"II*\x00\x08\x00\x00\x00" + directories + densities + b"".join(blobs)
