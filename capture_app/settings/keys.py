"""The schema read back from its dataclasses: each key with its type, limits, default and help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin, get_type_hints

from capture_app.model.coding import Code
from capture_app.model.words import tr
from capture_app.settings.rules import Help, Rule, Text

_NOT_SETTINGS: Final = frozenset({"source_files"})
_CODE_KEYS: Final[dict[str, tuple[object, ...]]] = {
    # The model knows nothing of settings: what a code may be is said here (PS3.3 8.8).
    "value": (Text(16, may_be_empty=False), Help("Code Value (0008,0100).")),
    "scheme": (
        Text(16, may_be_empty=False),
        Help("Coding Scheme Designator (0008,0102): SCT, LN, DCM, 99..."),
    ),
    "meaning": (Text(64, may_be_empty=False), Help("Code Meaning (0008,0104).")),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the schema. `kind` is str, int, float, bool, Path, an enum or a dataclass."""

    name: str
    kind: type
    is_list: bool
    required: bool
    default: Any
    rules: tuple[Rule, ...]
    help: str

    @property
    def is_table(self) -> bool:
        """True for a table, or a list of tables, of further keys."""
        return is_dataclass(self.kind)

    @property
    def type_words(self) -> str:
        """The type in words."""
        one, many = {
            str: (tr("a text"), tr("a list of texts")),
            Path: (tr("a text"), tr("a list of texts")),
            bool: (tr("true or false"), tr("a list of true or false")),
            int: (tr("a whole number"), tr("a list of whole numbers")),
            float: (tr("a number"), tr("a list of numbers")),
        }.get(self.kind, (tr("a text"), tr("a list of texts")))
        if self.is_table:
            one, many = tr("a table"), tr("a list of tables")
        return many if self.is_list else one

    @property
    def allowed(self) -> str:
        """Type and limits in words."""
        words = [self.type_words, *(rule.allowed for rule in self.rules)]
        if values := self.enum_values:
            words.append(tr("one of {words}", words=", ".join(f'"{value}"' for value in values)))
        return ", ".join(words)

    @property
    def enum_values(self) -> tuple[str, ...]:
        """The words of an enum, else nothing."""
        members = getattr(self.kind, "__members__", {})
        return tuple(str(member.value) for member in members.values())


@cache
def keys_of(table: Callable[..., object]) -> tuple[Key, ...]:
    """The keys of a table, in the order of the schema."""
    hints = get_type_hints(table, include_extras=True)
    found = []
    for field in fields(cast("type[Any]", table)):
        if field.name in _NOT_SETTINGS:
            continue
        kind, extras = _unwrapped(hints[field.name])
        if table is Code:
            extras = _CODE_KEYS[field.name]
        args = get_args(kind)
        optional = get_origin(kind) in (Union, UnionType)
        if optional:
            (kind,) = (arg for arg in args if arg is not NoneType)
        is_list = get_origin(kind) is tuple
        if is_list:
            kind, more = _unwrapped(get_args(kind)[0])
            extras = (*more, *extras)
        found.append(
            Key(
                name=field.name,
                kind=kind,
                is_list=is_list,
                required=field.default is MISSING,
                default=None if field.default is MISSING else field.default,
                rules=tuple(extra for extra in extras if isinstance(extra, Rule)),
                help=" ".join(extra.text for extra in extras if isinstance(extra, Help)),
            )
        )
    return tuple(found)


def _unwrapped(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """The type inside Annotated, and what it is annotated with."""
    if get_origin(hint) is Annotated:
        kind, *extras = get_args(hint)
        return kind, tuple(extras)
    return hint, ()
