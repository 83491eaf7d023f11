"""Decodes pictures of other formats than JPEG. Runs in a child.

Size, depth and number of pictures are looked at before pixels are given memory. Whatever cannot be
kept whole is refused: pages that would be lost, bits that would be cut, a background made up.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from typing import Any, Final, NoReturn

import numpy as np
from PIL import AvifImagePlugin, Image

from capture_app.errors import ImageError, TaskRefusedError
from capture_app.imaging.color_profile import is_sound
from capture_app.imaging.exif import aspect_of
from capture_app.imaging.file_kind import kind_of
from capture_app.imaging.other_formats import Loss, OtherPicture, PictureRefusal
from capture_app.imaging.statements import Resolved, Statements
from capture_app.imaging.turns import TURNS
from capture_app.model.encoded_image import MOST_PIXELS

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

_DEEP_MODES: Final = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N", "I;16S"})
_EXIF, _XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
_TIFF_IN_ITEM: Final = re.compile(rb"(?:Exif\x00\x00|\x00\x00\x00[\x00\x06])(?=II\*\x00|MM\x00\*)")
"""Before the TIFF header of an Exif item stands how far it is away (ISO/IEC 23008-12, A.2.1)."""
_SUBFILE, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 258, 259, 262
_ORIENTATION, _DNG_VERSION = 274, 50706
_RAW_PHOTOMETRICS: Final = frozenset({32803, 34892})
_RAW_COMPRESSIONS: Final = frozenset({32767, 34713, 34892, 65535})
_TIFF_LOSS: Final = {6: Loss.JPEG, 7: Loss.JPEG, 34712: Loss.JPEG_2000, 50001: Loss.NAMELESS}
_SRGB_PRIMARIES: Final = frozenset({1, 2})
"""BT.709, which sRGB shares, and not said (ISO/IEC 23091-2)."""
_ROTATIONS: Final = {0: 1, 1: 8, 2: 3, 3: 6}
"""The EXIF orientation that means the same as an `irot` box (ISO/IEC 23008-12, 6.5.10)."""


def decode(data: bytes) -> OtherPicture:
    """The picture in a file of one of `DECODED_KINDS`, upright. Raises TaskRefusedError with a
    code of `PictureRefusal`.
    """
    with _damage_is_told():
        kind = kind_of(data)
        if kind == "HEIC":
            return _heic(data)
        if kind == "PNG":
            _require_whole_png(data)
        elif kind == "AVIF" and any(0x60 & box[2] for box in _boxes(data, b"av1C", 4)):
            _refuse(PictureRefusal.TOO_DEEP)
        with Image.open(BytesIO(data), formats=[kind]) as image:
            _require_size(image.size)
            _require_one(image, kind)
            if kind == "TIFF":
                _require_plain_tiff(image)
            return _picture(image, data, kind)


@contextmanager
def _damage_is_told() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    except TaskRefusedError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        _refuse(PictureRefusal.TOO_LARGE)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise whatever they like at broken bytes
        _refuse(PictureRefusal.DAMAGED)


def _refuse(why: PictureRefusal) -> NoReturn:
    raise TaskRefusedError(why) from None


# -------------------------------------------------------------------------- what is looked at first


def _require_size(size: tuple[int, int]) -> None:
    if not 0 < size[0] * size[1] <= MOST_PIXELS:
        _refuse(PictureRefusal.TOO_LARGE)


def _require_one(image: Image.Image, kind: str) -> None:
    """An animated PNG is shown as its first picture by whoever knows no animations."""
    frames = getattr(image, "n_frames", 1)
    if frames == 1 or kind == "PNG":
        return
    if kind != "TIFF":
        _refuse(PictureRefusal.SEVERAL)
    whole = 0
    for page in range(min(frames, 3)):
        image.seek(page)
        whole += not int(_tag(image, _SUBFILE) or 0) & 1  # a smaller copy is no page
    image.seek(0)
    if whole > 1 or frames > 3:
        _refuse(PictureRefusal.SEVERAL)


def _require_plain_tiff(image: Image.Image) -> None:
    photometric, compression = _tag(image, _PHOTOMETRIC), _tag(image, _COMPRESSION)
    is_raw = (
        _tag(image, _DNG_VERSION) is not None
        or photometric in _RAW_PHOTOMETRICS
        or compression in _RAW_COMPRESSIONS
        or int(_tag(image, _SUBFILE) or 0) & 1
    )
    if is_raw:
        _refuse(PictureRefusal.RAW)
    bits = _tag(image, _BITS) or (1,)
    if max(bits if isinstance(bits, tuple) else (bits,)) > 8:
        _refuse(PictureRefusal.TOO_DEEP)


def _require_whole_png(data: bytes) -> None:
    """Every chunk to the end, with its own check sum (ISO/IEC 15948, 5.3)."""
    if data[12:16] == b"IHDR" and data[24] > 8:
        _refuse(PictureRefusal.TOO_DEEP)
    at, name = 8, b""
    while name != b"IEND":
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if (
            end > len(data)
            or zlib.crc32(data[at + 4 : end - 4]).to_bytes(4, "big") != data[end - 4 : end]
        ):
            _refuse(PictureRefusal.DAMAGED)
        at = end


def _tag(image: Image.Image, tag: int) -> Any:
    return getattr(image, "tag_v2", {}).get(tag)


# ------------------------------------------------------------------------------------- the picture


def _picture(image: Image.Image, data: bytes, kind: str) -> OtherPicture:
    said = _stated(image, data, kind)
    if image.mode in _DEEP_MODES:
        _refuse(PictureRefusal.TOO_DEEP)
    # Pillow turns a TIFF itself as its tag says, while it reads the pixels.
    is_turned_there = kind == "TIFF" and _tag(image, _ORIENTATION) is not None
    image.load()
    info = image.info
    grey = image.mode in {"1", "L", "LA"}
    profile = bytes(info.get("icc_profile") or b"")
    believed = profile if not grey and is_sound(profile, grey=False) else b""
    rgb, turn = _rgb(image), TURNS[1 if is_turned_there else said.orientation]
    if turn is not None:
        rgb = rgb.transpose(turn)
    aspect = said.pixel_aspect
    if aspect == 1 and kind in {"PNG", "BMP"} and (density := info.get("dpi") or _ratio(info)):
        aspect = aspect_of(*(Fraction(n).limit_denominator(10_000) for n in density)) or aspect
    return OtherPicture(
        pixels=np.asarray(rgb, np.uint8),
        loss=_loss(image, data, kind),
        icc_profile=believed,
        color_space="" if profile or _is_other_color(info, data, kind) else said.color_space,
        taken_at=said.taken_at,
        pixel_aspect=1 / aspect if said.orientation >= 5 else aspect,
    )


def _ratio(info: dict[Any, Any]) -> tuple[int, int] | None:
    """Of pHYs without a unit."""
    return info.get("aspect")


def _stated(image: Image.Image, data: bytes, kind: str) -> Resolved:
    exif = bytes(image.info.get("exif") or b"").removeprefix(_EXIF)
    if kind == "TIFF":
        exif = data
    elif kind == "AVIF":  # Pillow puts what the boxes say into the EXIF that it hands out
        _require_agreement(data, _exif_in(data))
    return _resolved(exif, image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"))


def _resolved(exif: bytes, xmp: bytes | str | None) -> Resolved:
    statements = Statements()
    if exif:
        statements.add_app1(_EXIF + exif)
    if xmp:
        statements.add_app1(_XMP + (xmp.encode() if isinstance(xmp, str) else bytes(xmp)))
    try:
        return statements.resolved()
    except ImageError:
        _refuse(PictureRefusal.TURNED)


def _rgb(image: Image.Image) -> Image.Image:
    match image.mode:
        case "CMYK":
            _refuse(PictureRefusal.PRINTING)
        case "RGBA" | "LA" | "PA" | "RGBa" | "La":
            return _without_alpha(image.convert("RGBA"))
        case "P" | "L" | "RGB" | "1" if "transparency" in image.info:
            return _without_alpha(image.convert("RGBA"))
        case "1" | "L" | "P" | "RGBX" | "YCbCr":
            return image.convert("RGB")
        case "RGB":
            return image
        case _:
            _refuse(PictureRefusal.COLORS)


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.getchannel("A").getextrema() != (255, 255):
        _refuse(PictureRefusal.SEE_THROUGH)
    return image.convert("RGB")


def _loss(image: Image.Image, data: bytes, kind: str) -> Loss:
    match kind:
        case "TIFF":
            return _TIFF_LOSS.get(int(_tag(image, _COMPRESSION) or 1), Loss.NONE)
        case "WebP":
            return Loss.NAMELESS if b"VP8 " in _webp_chunks(data) else Loss.NONE
        case "AVIF":
            return Loss.NAMELESS
        case _:
            return Loss.NONE


def _webp_chunks(data: bytes) -> set[bytes]:
    names, at = set(), 12
    while at + 8 <= len(data):
        names.add(data[at : at + 4])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return names


def _is_other_color(info: dict[Any, Any], data: bytes, kind: str) -> bool:
    """Whether it says, without a profile, that its colours are not those of sRGB."""
    match kind:
        case "PNG":
            is_said = "gamma" in info or "chromaticity" in info or b"cICP" in data[:4096]
            return is_said and "srgb" not in info
        case "BMP":
            has_space = int.from_bytes(data[14:18], "little") >= 108
            return has_space and data[70:74] not in {b"BGRs", b" niW"}
        case "AVIF" | "HEIC":
            return any(
                int.from_bytes(box[4:6], "big") not in _SRGB_PRIMARIES
                for box in _boxes(data, b"colr", 6)
                if box[:4] == b"nclx"
            )
        case _:
            return False


# ------------------------------------------------------------------------------------ HEIC and AVIF


def _heic(data: bytes) -> OtherPicture:
    import pi_heif  # noqa: PLC0415 - for these files alone

    options = pi_heif.options
    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    heic = pi_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=False)
    _require_size(heic.size)
    if len(heic) != 1:
        _refuse(PictureRefusal.SEVERAL)
    if heic.info.get("bit_depth", 8) != 8:
        _refuse(PictureRefusal.TOO_DEEP)
    exif = bytes(heic.info.get("exif") or b"").removeprefix(_EXIF)
    _require_agreement(data, exif)
    said = _resolved(exif, None)
    profile = bytes(heic.info.get("icc_profile") or b"")
    image = heic.to_pillow()
    grey = image.mode in {"L", "LA"}
    return OtherPicture(
        pixels=np.asarray(_rgb(image), np.uint8),  # libheif has turned it as its boxes say
        loss=Loss.HEVC,
        icc_profile=profile if not grey and is_sound(profile, grey=False) else b"",
        color_space="" if profile or _is_other_color({}, data, "HEIC") else said.color_space,
        taken_at=said.taken_at,
        pixel_aspect=Fraction(1),
    )


def _require_agreement(data: bytes, exif: bytes) -> None:
    """Boxes say how such a picture is turned, and EXIF may say it once more. Where EXIF says that
    it is turned and the boxes do not say the same, nobody knows.
    """
    orientation = _resolved(exif, None).orientation
    turns = {_ROTATIONS[box[0] & 3] for box in _boxes(data, b"irot", 1)} or {1}
    is_mirrored = bool(_boxes(data, b"imir", 1))
    if orientation != 1 and not is_mirrored and turns != {orientation}:
        _refuse(PictureRefusal.TURNED)


def _exif_in(data: bytes) -> bytes:
    found = _TIFF_IN_ITEM.search(data)
    return data[found.end() :] if found else b""


def _boxes(data: bytes, name: bytes, length: int) -> list[bytes]:
    """The beginnings of the property boxes with this name, in the `meta` box."""
    start = data.find(b"ipco")
    end = start + int.from_bytes(data[max(start - 4, 0) : max(start, 0)], "big")
    found, at = [], start
    while start >= 0 and (at := data.find(name, at + 4, end)) >= 0:
        found.append(data[at + 4 : at + 4 + length])
    return found
