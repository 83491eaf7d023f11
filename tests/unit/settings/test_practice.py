from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.errors import SettingsError
from capture_app.settings.feeds import AdtFeed, Worklist
from capture_app.settings.practice import MARKER, claim_data_folder, refuse_real_destinations
from capture_app.settings.receiving import Receiver
from capture_app.settings.schema import ArchiveDestination, Settings

ARCHIVE = ArchiveDestination(
    name="practice",
    host="127.0.0.1",
    port=4242,
    ae_title="PRACTICE",
    url="http://localhost:8042/dicom-web",
)
WORKLIST = Worklist("practice", "::1", 4243, "PRACTICE")
PRACTICE = Settings(
    data_dir=Path("/nowhere"),
    adt=AdtFeed(),
    archives=(ARCHIVE,),
    worklists=(WORKLIST,),
    practice=True,
    practice_ports=(4242, 4243, 8042),
)


def refused(settings: Settings) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        refuse_real_destinations(settings)
    return [fault.key for fault in raised.value.faults]


def test_simulated_hospital_is_not_refused() -> None:
    refuse_real_destinations(PRACTICE)


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        ({"archives": (replace(ARCHIVE, host="10.0.0.7"),)}, ["archives[0].host"]),
        ({"archives": (replace(ARCHIVE, host="pacs.example.org"),)}, ["archives[0].host"]),
        ({"archives": (replace(ARCHIVE, host="localhost.example.org"),)}, ["archives[0].host"]),
        ({"archives": (replace(ARCHIVE, port=104),)}, ["archives[0].host"]),
        ({"archives": (ARCHIVE, replace(ARCHIVE, port=104))}, ["archives[1].host"]),
        ({"archives": (replace(ARCHIVE, url="https://pacs.example.org:8042/"),)},
         ["archives[0].url"]),
        ({"archives": (replace(ARCHIVE, url="http://localhost/dicom-web"),)}, ["archives[0].url"]),
        ({"archives": (replace(ARCHIVE, commitment_host="0.0.0.0"),)},  # noqa: S104
         ["archives[0].commitment_host"]),
        ({"worklists": (replace(WORKLIST, host="ris.example.org"),)}, ["worklists[0].host"]),
        ({"worklists": (replace(WORKLIST, port=104),)}, ["worklists[0].host"]),
        ({"adt": AdtFeed(host="0.0.0.0")}, ["adt.host"]),  # noqa: S104
        ({"adt": AdtFeed(host="10.0.0.7")}, ["adt.host"]),
        ({"receiver": Receiver(host="0.0.0.0")}, ["receiver.host"]),  # noqa: S104
        ({"practice_ports": ()}, ["worklists[0].host", "archives[0].host", "archives[0].url"]),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_practice(changed: dict[str, object], keys: list[str]) -> None:
    assert refused(replace(PRACTICE, **changed)) == keys  # type: ignore[arg-type]


def test_real_settings_may_name_real_destinations() -> None:
    real = replace(PRACTICE, practice=False, practice_ports=(), adt=AdtFeed(host="10.0.0.7"))
    refuse_real_destinations(replace(real, archives=(replace(ARCHIVE, host="10.0.0.7"),)))


@pytest.mark.parametrize("practice", [True, False])
def test_folder_is_marked_once_and_refuses_the_other_use(tmp_path: Path, practice: bool) -> None:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder, practice=practice)
    claim_data_folder(settings)
    claim_data_folder(settings)
    assert [path.name for path in folder.iterdir()] == [MARKER]
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(SettingsError, match="another use"):
        claim_data_folder(replace(settings, practice=not practice))


def test_practice_refuses_a_folder_that_holds_something_and_no_mark(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").touch()
    with pytest.raises(SettingsError, match="something else") as raised:
        claim_data_folder(Settings(data_dir=tmp_path, practice=True))
    assert raised.value.faults[0].key == "data_dir"
    assert not (tmp_path / MARKER).exists()
    claim_data_folder(Settings(data_dir=tmp_path))


def test_mark_that_was_edited_is_for_nobody(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    claim_data_folder(settings)
    (tmp_path / MARKER).write_text("")
    for practice in (True, False):
        with pytest.raises(SettingsError, match="another use"):
            claim_data_folder(replace(settings, practice=practice))


@pytest.mark.parametrize("name", ["file", "file/data"])
def test_folder_that_cannot_be_made_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="The folder cannot be used: ") as raised:
        claim_data_folder(Settings(data_dir=tmp_path / name))
    assert raised.value.faults[0].key == "data_dir"


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702])
def test_folder_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "data"
    claim_data_folder(Settings(data_dir=folder))
    folder.chmod(mode)
    with pytest.raises(SettingsError, match="Others could change what is in it") as raised:
        claim_data_folder(Settings(data_dir=folder))
    assert raised.value.faults[0].key == "data_dir"
    folder.chmod(0o755)
    claim_data_folder(Settings(data_dir=folder))


def test_folder_that_others_can_put_another_in_the_place_of_is_refused(tmp_path: Path) -> None:
    above = tmp_path / "shared"
    folder = above / "station" / "data"
    claim_data_folder(Settings(data_dir=folder))
    above.chmod(0o777)
    with pytest.raises(SettingsError, match="no folder above it one that all may write"):
        claim_data_folder(Settings(data_dir=folder))
    above.chmod(0o1777)  # as /tmp: nobody renames what is another's
    claim_data_folder(Settings(data_dir=folder))
    above.chmod(0o775)  # a group of the user's own, as many systems make one
    claim_data_folder(Settings(data_dir=folder))
