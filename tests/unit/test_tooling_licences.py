"""The licence check lets nothing through that is under the GPL or that nobody has looked at."""

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tools import licences


def planted(folder: Path, licence: str, *files: str) -> Distribution:
    info = folder / "planted-1.0.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n{licence}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in files), encoding="utf-8")
    return Distribution.at(info)


def faults(dist: Distribution, licence: str, **libraries: str) -> list[str]:
    policy = licences.Policy({"planted": licence}, libraries, frozenset())
    return list(licences.faults([dist], policy))


def test_what_is_installed_here_may_ship() -> None:
    dists = licences.shipped()
    assert {"pydicom", "pyside6-essentials", "opencv-python-headless", "pillow"} <= {
        licences.canonical(dist.name) for dist in dists
    }
    assert not list(licences.faults(dists, licences.Policy.read()))
    assert not list(licences.built_in_faults(dists))


def test_every_entry_is_about_something_that_is_there() -> None:
    policy, dists = licences.Policy.read(), licences.shipped()
    assert set(policy.distributions) == {licences.canonical(dist.name) for dist in dists}
    there = {licences.library_name(p.name) for dist in dists for p in licences.binaries(dist)}
    assert set(policy.libraries) <= there


@pytest.mark.parametrize(
    "declaration",
    [
        "License-Expression: GPL-3.0-or-later",
        "License: GPLv2",
        "License: AGPL-3.0",
        "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
        "License-Expression: MIT AND GPL-2.0-only",
    ],
)
def test_a_gpl_distribution_is_caught_even_where_it_is_listed(
    tmp_path: Path, declaration: str
) -> None:
    dist = planted(tmp_path, declaration)
    assert faults(dist, licences.declared(dist)) == ["planted: under the GPL"]


def test_an_unlisted_distribution_is_caught(tmp_path: Path) -> None:
    dist = planted(tmp_path, "License: MIT")
    policy = licences.Policy({}, {}, frozenset())
    assert len(list(licences.faults([dist], policy))) == 1


def test_a_changed_licence_is_caught(tmp_path: Path) -> None:
    assert len(faults(planted(tmp_path, "License: BUSL-1.1"), "MIT")) == 1


def test_an_unlisted_library_inside_a_wheel_is_caught(tmp_path: Path) -> None:
    dist = planted(tmp_path, "License: MIT", "planted.libs/libx264-0a1b2c3d.so.164")
    assert len(faults(dist, "MIT")) == 1
    assert len(faults(dist, "MIT", libx264="GPL-2.0-or-later")) == 1
    assert faults(dist, "MIT", libx264="LGPL-2.1-or-later") == []


def test_own_extension_modules_stand_under_the_licence_of_their_distribution(
    tmp_path: Path,
) -> None:
    dist = planted(
        tmp_path, "License: MIT", "planted/_x.cpython-311-x86_64-linux-gnu.so", "planted/y.abi3.so"
    )
    assert faults(dist, "MIT") == []


@pytest.mark.parametrize(
    ("expression", "gpl"),
    [
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", False),
        ("GPL-2.0-only OR GPL-3.0-only", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("LGPL version 2.1 or later", False),
        ("GPL version 2 or later", True),
        ("GNU Lesser General Public License v2 (LGPLv2)", False),
    ],
)
def test_what_counts_as_gpl(expression: str, gpl: bool) -> None:
    assert licences.is_gpl(expression) is gpl


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("libaom-a0d22147.so.3.14.1", "libaom"),
        ("libopenblasp-r0-59ffcd50.3.15.so", "libopenblasp"),
        ("libscipy_openblas64_-32a4b2a6.so", "libscipy_openblas64_"),
        ("libpyside6.abi3.so.6.11", "libpyside6"),
        ("libQt6Core.so.6", "libQt6Core"),
        ("libqxcb-egl-integration.so", "libqxcb-egl-integration"),
    ],
)
def test_the_name_of_a_library_without_its_build(file_name: str, name: str) -> None:
    assert licences.library_name(file_name) == name
