from collections.abc import Mapping
from typing import IO, Any

from PIL import Image

from pi_heif import options as options

class HeifFile:
    size: tuple[int, int]
    info: Mapping[str, Any]
    def __len__(self) -> int: ...
    def to_pillow(self) -> Image.Image: ...

def open_heif(fp: bytes | IO[bytes], convert_hdr_to_8bit: bool = True) -> HeifFile: ...
