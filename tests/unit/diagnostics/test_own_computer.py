"""What this computer has, and what is said where it has it not."""

import pytest

from capture_app.diagnostics.finding import Grade
from capture_app.diagnostics.own_computer import look_at_libraries
from capture_app.imaging import turbo


def test_the_library_that_turns_pictures_is_there() -> None:
    (found,) = [one for one in look_at_libraries() if one.name == "libturbojpeg"]
    assert (found.code, found.grade) == ("library-good", Grade.GOOD)


def test_where_it_is_not_that_is_advised_and_all_else_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_it = [one.name for one in look_at_libraries()]
    monkeypatch.setattr(turbo, "_library", lambda: None)
    without = list(look_at_libraries())
    assert [one.name for one in without] == with_it
    (found,) = [one for one in without if one.name == "libturbojpeg"]
    assert (found.code, found.grade) == ("turbojpeg-absent", Grade.ADVICE)
    assert found.remedy == "Install libturbojpeg0."
