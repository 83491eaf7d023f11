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
from typing import Any, TypeVar, cast

from capture_app.errors import SealBrokenError
from capture_app.model.words import tr

T = TypeVar("T")


def to_record(value: object) -> bytes:
    """A frozen dataclass as UTF-8 JSON."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def from_record(kind: type[T], record: bytes) -> T:
    """The value that was written by `to_record`. Raises SealBrokenError for what does not fit."""
    try:
        value: T = _reader(cast("Hashable", kind))(json.loads(record))
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # The cause would quote values: it stays out.
        message = tr("A kept record cannot be read ({what}).", what=type(error).__name__)
        raise SealBrokenError(message) from None
    return value


def _plain(value: object) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case bytes():
            return value.hex()
        case datetime() | date():
            return value.isoformat()
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return [[_plain(key), _plain(item)] for key, item in value.items()]
        case _ if dataclasses.is_dataclass(value):
            return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        case _:
            message = f"{type(value).__name__} has no place in a record"
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
    readers = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}

    def read(plain: Any) -> Any:
        known = {name: readers[name](value) for name, value in plain.items() if name in readers}
        return kind(**known)

    return read


def _checked(kind: type, plain: Any) -> Any:
    if kind is float and type(plain) is int:
        return float(plain)
    if type(plain) is not kind:
        raise TypeError
    return plain
