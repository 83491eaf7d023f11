from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.kills import SIDE_BY_SIDE, Children


@pytest.fixture(scope="session")
def three_children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Children]]:
    """Three processes that start children, for all tests of a run: importing takes a second."""
    folder = tmp_path_factory.mktemp("children")
    with ExitStack() as stack:
        each = [stack.enter_context(Children.started(folder / f"{n}")) for n in range(SIDE_BY_SIDE)]
        for children in each:
            assert children.line() == "READY"
        yield each
