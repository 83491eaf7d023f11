from pathlib import Path

import pytest

from capture_app.devices import card
from capture_app.devices.card import FileSort, card_files
from capture_app.errors import DeviceError


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_files_of_cameras_are_found_and_numbered_and_nothing_else_is(tmp_path: Path) -> None:
    put(
        tmp_path,
        "DCIM/100CANON/IMG_0001.JPG",
        "DCIM/100CANON/IMG_0001.CR3",
        "DCIM/100CANON/IMG_0002.CR3",
        "DCIM/101CANON/MVI_0003.MP4",
        "DCIM/100CANON/IMG_0001.THM",
        "MISC/readme.txt",
        ".Trashes/IMG_0009.JPG",
        "System Volume Information/IMG_0009.JPG",
        "derm/lesion 3.png",
        "flat/IMG_0007.JPG",
    )
    found = {f.path.name: (f.sort, f.folder_number, f.number) for f in card_files(tmp_path)}
    assert found == {
        "IMG_0001.JPG": (FileSort.PICTURE, 100, 1),
        "IMG_0002.CR3": (FileSort.RAW, 100, 2),
        "MVI_0003.MP4": (FileSort.FILM, 101, 3),
        "lesion 3.png": (FileSort.PICTURE, 0, None),
        "IMG_0007.JPG": (FileSort.PICTURE, 0, 7),
    }


def test_links_lead_nowhere(tmp_path: Path) -> None:
    put(tmp_path, "else/a.jpg")
    here = tmp_path / "here"
    here.mkdir()
    (here / "link.jpg").symlink_to(tmp_path / "else" / "a.jpg")
    (here / "folder").symlink_to(tmp_path / "else")
    assert card_files(here) == ()


def test_without_a_card_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="No card is there"):
        card_files(tmp_path / "gone")


def test_an_endless_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "_MOST_FILES", 3)
    put(tmp_path, *(f"{n}.jpg" for n in range(4)))
    with pytest.raises(DeviceError, match="more than 3 files"):
        card_files(tmp_path)
