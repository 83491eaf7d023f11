"""The icons that ship are those that are used, no more and no fewer."""

import re
from importlib.resources import files
from pathlib import Path

from capture_app.settings.resources import resource

_NAME = re.compile(r'"([a-z]+(?:-[a-z]+)*)"')


def test_every_shipped_icon_is_used() -> None:
    source = Path(str(files("capture_app.ui")))
    words = {w for path in source.rglob("*.py") for w in _NAME.findall(path.read_text("utf-8"))}
    shipped = {path.stem for path in resource("icons").glob("*.svg")}

    assert shipped
    assert shipped - words == set()


def test_every_icon_can_be_coloured_and_has_its_licence() -> None:
    for path in resource("icons").glob("*.svg"):
        assert b"currentColor" in path.read_bytes(), path.name
    assert "MIT License" in resource("icons/LICENSE").read_text("utf-8")
    for family in ("inter", "noto"):
        assert "SIL OPEN FONT LICENSE" in resource(f"fonts/{family}/OFL.txt").read_text("utf-8")
