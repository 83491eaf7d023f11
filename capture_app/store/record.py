"""Frozen values as JSON, inside sealed files and encrypted cells: readable for years.

A field that is not known any more is ignored, one that is new takes its default; so an older
record opens in a newer version. What cannot be read raises SealBrokenError: it was sealed, so a
record that does not fit is damage or a fault of ours, and a person has to look.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, cast

from capture_app.errors import SealBrokenError
from capture_app.model.words import tr

T = TypeVar("T")

_AS_THEY_ARE: Final = frozenset({str, int, float, bool, types.NoneType})
"""Types whose values stand in JSON as they are."""


def to_record(value: object) -> bytes:
    """A frozen dataclass as UTF-8 JSON."""
    return _written(value, is_brief=False)


def to_brief_record(value: object) -> bytes:
    """As `to_record`, without the fields that hold their defaults: a third of the bytes, and read
    in half the time.

    For what can be made anew from its source. What must be read for years states all that it says,
    because a default may change.
    """
    return _written(value, is_brief=True)


def from_record(kind: type[T], record: bytes) -> T:
    """The value that was written by `to_record`. Raises SealBrokenError for what does not fit."""
    try:
        value: T = _reader(cast("Hashable", kind))(json.loads(record))
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # The cause would quote values: it stays out.
        message = tr("A kept record cannot be read ({what}).", what=type(error).__name__)
        raise SealBrokenError(message) from None
    return value


def _written(value: object, *, is_brief: bool) -> bytes:
    plain = _writer(cast("Hashable", type(value)), is_brief)(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _writer(kind: Any, is_brief: bool) -> Callable[[Any], Any]:  # noqa: FBT001 - a key of the cache
    """How a value of a type is written."""

    def write(value: Any) -> Any:
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return value
        return _writer(cast("Hashable", kind), is_brief)(value)

    if kind in _AS_THEY_ARE:
        return write
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, str):
        return str
    if issubclass(kind, bytes):
        return bytes.hex
    if issubclass(kind, date):  # a datetime is one
        return lambda value: value.isoformat()
    if issubclass(kind, tuple):
        return lambda value: [write(item) for item in value]
    if issubclass(kind, Mapping):
        return lambda value: [[write(key), write(item)] for key, item in value.items()]
    if dataclasses.is_dataclass(kind):
        fields = [
            (field.name, field.default if is_brief else dataclasses.MISSING)
            for field in dataclasses.fields(kind)
        ]
        return lambda value: {
            name: part if type(part) in _AS_THEY_ARE else write(part)
            for name, default in fields
            if (part := getattr(value, name)) != default
        }
    message = f"{kind.__name__} has no place in a record"
    raise TypeError(message)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """How a value of a declared type is read back."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        (inner,) = [argument for argument in arguments if argument is not types.NoneType]
        read = _reader(inner)
        return lambda plain: None if plain is None else read(plain)
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is Mapping:
        return _mapping_reader(arguments)
    if kind in (datetime, date):
        return cast("Callable[[Any], Any]", kind.fromisoformat)
    if kind is bytes:
        return bytes.fromhex
    if dataclasses.is_dataclass(kind):
        return _dataclass_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if kind in (str, int, float, bool):
        return lambda plain: _checked(kind, plain)
    message = f"{kind} has no place in a record"
    raise TypeError(message)


def _tuple_reader(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        read = _reader(arguments[0])
        return lambda plain: tuple(read(item) for item in plain)
    readers = [_reader(argument) for argument in arguments]
    return lambda plain: tuple(read(item) for read, item in zip(readers, plain, strict=True))


def _mapping_reader(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    read_key, read = map(_reader, arguments)
    return lambda pairs: types.MappingProxyType({read_key(key): read(item) for key, item in pairs})


def _dataclass_reader(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    readers = {field.name: _field_reader(hints[field.name]) for field in dataclasses.fields(kind)}

    def read(plain: Any) -> Any:
        known = {
            name: value if type(value) is reader[0] else reader[1](value)
            for name, value in plain.items()
            if (reader := readers.get(name)) is not None
        }
        return kind(**known)

    return read


def _field_reader(kind: Any) -> tuple[type | None, Callable[[Any], Any]]:
    """A type in JSON whose values stand in the field as they are, and how others are read: most
    need no reading, and cost no call.
    """
    if kind in _AS_THEY_ARE:
        return kind, _reader(kind)
    others = [argument for argument in typing.get_args(kind) if argument is not types.NoneType]
    if types.NoneType in typing.get_args(kind) and len(others) == 1:
        return types.NoneType, _reader(others[0])
    return None, _reader(kind)


def _checked(kind: type, plain: Any) -> Any:
    if kind is float and type(plain) is int:
        return float(plain)
    if type(plain) is not kind:
        raise TypeError
    return plain
