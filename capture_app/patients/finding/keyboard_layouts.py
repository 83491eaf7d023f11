"""What a scanner that types as a US keyboard meant, where the computer has another layout.

A wedge presses keys, not characters: on a German or French computer the keys of "]C1" arrive as
"+C1" or "$C&". The tables name the characters of each row of keys, left to right.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from capture_app.settings.scanning import KeyboardLayout

_US: Final = (
    "1234567890-=qwertyuiop[]asdfghjkl;'\\zxcvbnm,./",
    '!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|ZXCVBNM<>?',
)
_OTHERS: Final[Mapping[KeyboardLayout, tuple[str, str]]] = MappingProxyType(
    {
        KeyboardLayout.DE: (
            "1234567890ß´qwertzuiopü+asdfghjklöä#yxcvbnm,.-",
            "!\"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ'YXCVBNM;:_",
        ),
        KeyboardLayout.FR: (
            "&é\"'(-è_çà)=azertyuiop^$qsdfghjklmù*wxcvbn,;:!",
            "1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µWXCVBN?./§",
        ),
    }
)
_TABLES: Final[Mapping[KeyboardLayout, Mapping[int, int]]] = MappingProxyType(
    {layout: str.maketrans("".join(rows), "".join(_US)) for layout, rows in _OTHERS.items()}
)


def as_scanned(text: str, layout: KeyboardLayout) -> str:
    """The characters of the code, from those that arrived. What no key of the layout makes stays
    as it is.
    """
    table = _TABLES.get(layout)
    return text if table is None else text.translate(table)
