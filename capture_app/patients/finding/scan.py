"""What a wristband scanner read, as an identifier."""

from __future__ import annotations

import re
from typing import Final

_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""The symbology identifier that some scanners put before the data (ISO/IEC 15424)."""


def scanned_number(text: str) -> tuple[str, str | None]:
    """The identifier, and its issuer where the code names one (`number^^^issuer`, as CX has it)."""
    plain = "".join(character for character in text if character.isprintable()).strip()
    if matched := _AIM.match(plain):
        plain = plain[matched.end() :]
    number, *rest = (part.strip() for part in plain.split("^"))
    issuer = rest[2].split("&")[0] if len(rest) > 2 else ""
    return number, issuer or None
