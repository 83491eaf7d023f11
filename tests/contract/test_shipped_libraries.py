"""The running app loads no binary but those that ship (tools/licences.toml)."""

import subprocess
import sys
from pathlib import Path

from tests.peers import run_xvfb
from tools import licences

# Everything we wrote, a window, and a picture in each format that we show.
CHILD = """
import pkgutil, sys
from importlib import import_module
import capture_app
for module in pkgutil.walk_packages(capture_app.__path__, "capture_app."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication(sys.argv)
label = QLabel("text")
label.show()
for kind in ("JPEG", "PNG"):
    QImage(8, 8, QImage.Format.Format_RGB32).save(f"{sys.argv[1]}/x", kind)
    assert not QImage(f"{sys.argv[1]}/x").isNull()
app.processEvents()
print(open("/proc/self/maps").read())
"""


def loaded(folder: Path, environment: dict[str, str]) -> set[Path]:
    argv = [sys.executable, "-c", CHILD, str(folder)]
    child = subprocess.run(
        argv, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == 0, child.stderr
    return {Path(line.split()[-1]) for line in child.stdout.splitlines() if "site-packages" in line}


def test_only_binaries_that_ship_are_loaded(tmp_path: Path) -> None:
    policy = licences.Policy.read()
    may_load = {
        path.resolve()
        for dist in licences.shipped()
        for path in licences.binaries(dist)
        if licences.ships(licences.canonical(dist.name), path, policy)
    }
    base = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    with run_xvfb() as screen:
        seen = loaded(tmp_path, {**base, "QT_QPA_PLATFORM": "offscreen"})
        seen |= loaded(tmp_path, {**base, "QT_QPA_PLATFORM": "xcb", "DISPLAY": screen.display})
    assert any(path.name.startswith("libqxcb") for path in seen)
    assert not {path.name for path in seen if path.resolve() not in may_load}
