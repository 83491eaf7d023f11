"""What a file is by its first bytes, to name it kindly when it cannot be taken."""

from __future__ import annotations

from typing import Final

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"%PDF-", "PDF"),
    (b"GIF8", "GIF"),
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
}


def kind_of(data: bytes) -> str:
    """The usual name of a file's format; empty where it is none of the usual ones."""
    if data[128:132] == b"DICM":
        return "DICOM"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video")
    if data[:4] == b"RIFF":
        return "WebP" if data[8:12] == b"WEBP" else "video"
    return next((name for start, name in _BEGINNINGS if data.startswith(start)), "")
