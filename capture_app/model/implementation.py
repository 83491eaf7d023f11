"""Who made it: how this application names itself to other systems (PS3.7 D.3.3.2)."""

from __future__ import annotations

from typing import Final

import capture_app

IMPLEMENTATION_CLASS_UID: Final = "2.25.253416389940327800217384643040304679631"
"""Implementation Class UID (0002,0012), in files and in associations, of all versions.

Derived from a UUID; an organisation that ships it puts its own root here.
"""

IMPLEMENTATION_VERSION_NAME: Final = f"CAPTURE_{capture_app.__version__}"[:16]
"""Implementation Version Name (0002,0013)."""
