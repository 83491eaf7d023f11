"""What a file is by its first bytes, to name it kindly when it cannot be taken."""

from __future__ import annotations

from typing import Final

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"%PDF-", "PDF"),
    (b"GIF8", "GIF"),
    (b"II*\x00\x10\x00\x00\x00CR", "CR2"),
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"IIRO", "ORF"),
    (b"IIRS", "ORF"),
    (b"MMOR", "ORF"),
    (b"IIU\x00", "RW2"),
    (b"II\x1a\x00\x00\x00HEAPCCDR", "CRW"),
    (b"\x00MRM", "MRW"),
    (b"FOVb", "X3F"),
    (b"II+\x00", "BigTIFF"),
    (b"MM\x00+", "BigTIFF"),
    (b"8BPS", "Photoshop"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1aE\xdf\xa3", "Matroska video"),
)
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    b"crx ": "CR3",
}
RAW_KINDS: Final = frozenset({"CR2", "CR3", "CRW", "MRW", "ORF", "RAF", "RW2", "X3F"})
"""Camera raw, by names of its own; DNG and others are TIFF files within."""


def kind_of(data: bytes) -> str:
    """The usual name of a file's format; empty where it is none of the usual ones."""
    if data[128:132] == b"DICM":
        return "DICOM"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    if data[:4] == b"RIFF":
        return "WebP" if data[8:12] == b"WEBP" else "video"
    return next((name for start, name in _BEGINNINGS if data.startswith(start)), "")


def _of_brands(data: bytes) -> str:
    """By its major brand; where that names a family alone, by those that it is compatible with
    (ISO/IEC 23008-12, 10).
    """
    major, length = data[8:12], int.from_bytes(data[:4], "big")
    others = {data[at : at + 4] for at in range(16, min(length, 256), 4)}
    if major in {b"mif1", b"msf1"} and others & {b"avif", b"avis"}:
        return "AVIF"
    return _BRANDS.get(major, "video")
