"""What a test of an end says of itself: whose end it shows, and what the log says of it."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

MAI, MINH = "0012345678", "0012354687"

SAID = "Something unexpected happened"

Break = Callable[..., None]


def ends(
    *classes: str, log: str = "window-error"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Names the classes whose ends a test shows, and what the log says of it."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        pytest.mark.expects_log(*[log] if log else [])(test)
        return test

    return note


def shown_in(folder: Path) -> set[str]:
    """The classes that `ends` names over the tests of a folder."""
    return {
        ast.literal_eval(name)
        for file in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == ends.__name__
        for name in mark.args
    }
