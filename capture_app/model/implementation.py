"""Who made it: how this application names itself to other systems (PS3.7 D.3.3.2)."""

from __future__ import annotations

from typing import Final

IMPLEMENTATION_CLASS_UID: Final = "2.25.189046296021860145363371911426588266895"
"""Implementation Class UID (0002,0012): the same in files and in associations, for all versions."""

IMPLEMENTATION_VERSION_NAME: Final = "CAPTURE_APP"
"""Implementation Version Name (0002,0013), at most 16 characters."""
