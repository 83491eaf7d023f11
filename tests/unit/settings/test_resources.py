import pytest

from capture_app.settings.resources import migrations, resource
from capture_app.store.database import read_migrations


def test_what_does_not_ship_is_not_found() -> None:
    with pytest.raises(FileNotFoundError, match=r"no/such\.csv"):
        resource("no/such.csv")


@pytest.mark.parametrize("path", ["../pyproject.toml", "/etc/passwd", "a/../../x"])
def test_path_that_leaves_the_folder_is_a_fault_of_ours(path: str) -> None:
    with pytest.raises(ValueError, match="not a resource path"):
        resource(path)


def test_what_ships_is_found() -> None:
    assert resource("bodymap.json").is_file()


def test_migrations_of_each_database_are_found() -> None:
    for room in ("outbox", "patients"):
        assert read_migrations(migrations(room))
