from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.kills import SIDE_BY_SIDE, Children
from tests.faults.small_disk import may_mount, run_as_root_of_a_namespace


@pytest.fixture(scope="session")
def three_children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Children]]:
    """Three processes that start children, for all tests of a run: importing takes a second."""
    folder = tmp_path_factory.mktemp("children")
    with ExitStack() as stack:
        each = [stack.enter_context(Children.started(folder / f"{n}")) for n in range(SIDE_BY_SIDE)]
        for children in each:
            assert children.line() == "READY"
        yield each


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test on a disk of its own there where this user may have one: it is never skipped."""
    if pyfuncitem.funcargs.get("kind") != "tmpfs" or may_mount():
        return None
    folder = Path(str(pyfuncitem.funcargs["tmp_path"])) / "inside"
    wrong = run_as_root_of_a_namespace(pyfuncitem.nodeid, folder)
    if wrong:
        pytest.fail(wrong, pytrace=False)
    return True
