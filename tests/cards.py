"""A camera that writes a card: pictures with numbers and times, and slates before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from capture_app.imaging.codes import matrix_of
from capture_app.model.slate import SlateCode

_EXIF_IFD, _MAKE, _MODEL, _TAKEN_AT = 0x8769, 0x10F, 0x110, 0x9003
_SIZE = (480, 640)


@dataclass(slots=True)
class CameraCard:
    """What lies on the card grows by a file a shot. Its clock is `clock_off` ahead."""

    folder: Path
    now: datetime
    clock_off: timedelta = timedelta()
    camera: str = "E-1"
    number: int = 0
    folder_number: int = 100
    seed: int = 0
    files: list[Path] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """Of the next shot."""
        folder = self.folder / "DCIM" / f"{self.folder_number}CANON"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"IMG_{self.number:04}.JPG"

    def shoot(self, *codes: SlateCode, after: float = 5.0) -> Path:
        """One picture, so many seconds later; of nothing but skin, or with slates before it."""
        self.now += timedelta(seconds=after)
        self.number += 1
        self.seed += 1
        path = self.path
        path.write_bytes(picture(self.seed, self.now + self.clock_off, self.camera, *codes))
        self.files.append(path)
        return path

    def shots(self, count: int) -> list[Path]:
        return [self.shoot() for _ in range(count)]


def picture(
    seed: int, at: datetime | None, camera: str = "E-1", *codes: SlateCode, quality: int = 85
) -> bytes:
    """A JPEG with the time of its camera in EXIF; None: without EXIF."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(90, 200, (_SIZE[0] // 40, _SIZE[1] // 40, 3), np.uint8)
    pixels = np.kron(coarse, np.ones((40, 40, 1), np.uint8))
    for place, code in enumerate(codes):
        _put(pixels, code.text, 40 + 300 * place)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    if at is not None:
        exif[_MAKE], exif[_MODEL] = "Lumina", camera
        exif.get_ifd(_EXIF_IFD)[_TAKEN_AT] = at.strftime("%Y:%m:%d %H:%M:%S")
    written = BytesIO()
    image.save(written, "JPEG", quality=quality, exif=exif)
    return written.getvalue()


def _put(pixels: np.ndarray, text: str, left: int) -> None:
    module = 7
    code = np.kron(~matrix_of(text), np.ones((module, module), bool)).astype(np.uint8) * 255
    quiet = np.pad(code, 4 * module, constant_values=255)
    pixels[60 : 60 + quiet.shape[0], left : left + quiet.shape[1]] = quiet[:, :, np.newaxis]
