"""What a setting may be: small rules that say in words what they allow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from capture_app.clock import zone_of
from capture_app.model.words import tr


@dataclass(frozen=True, slots=True)
class Help:
    """What a setting is for, in one or two sentences."""

    text: str


@runtime_checkable
class Rule(Protocol):
    """A limit on one value. Its words never repeat the value: it may be a misplaced secret."""

    @property
    def allowed(self) -> str:
        """What is allowed, as the end of a sentence."""
        ...

    def problem(self, value: Any) -> str:
        """What is wrong with the value, as a sentence; empty where nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both allowed."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        return tr("a number from {low} to {high}", low=f"{self.low:g}", high=f"{self.high:g}")

    def problem(self, value: Any) -> str:
        if self.low <= value <= self.high:
            return ""
        return tr("{value} is out of range.", value=value)


@dataclass(frozen=True, slots=True)
class Text:
    """A DICOM text value: SH is at most 16 characters, LO at most 64 (PS3.5 6.2)."""

    longest: int
    may_be_empty: bool = True

    @property
    def allowed(self) -> str:
        if self.may_be_empty:
            return tr("at most {n} characters, no backslash, no control characters", n=self.longest)
        return tr("1 to {n} characters, no backslash, no control characters", n=self.longest)

    def problem(self, value: Any) -> str:
        if not value.strip():
            return "" if self.may_be_empty and not value else tr("It is empty.")
        if len(value) > self.longest:
            return tr("It is {n} characters long.", n=len(value))
        if "\\" in value or not value.isprintable():
            return tr("It holds a character that DICOM does not allow here.")
        return ""


@dataclass(frozen=True, slots=True)
class Line:
    """A text that goes into no image, such as an address or a path: a backslash is a character."""

    longest: int

    @property
    def allowed(self) -> str:
        return tr("at most {n} characters, no control characters", n=self.longest)

    def problem(self, value: Any) -> str:
        if len(value) > self.longest:
            return tr("It is {n} characters long.", n=len(value))
        return _escaped_path(value)


def _escaped_path(value: str) -> str:
    r"""In double quotes TOML reads the \t of "C:\temp" as a tab, without a word."""
    if value.isprintable():
        return ""
    return tr("It holds a control character. Put a path with \\ in single quotes.")


@dataclass(frozen=True, slots=True)
class TimeZone:
    """The IANA name of a zone."""

    @property
    def allowed(self) -> str:
        return tr("empty, or the name of a zone such as Europe/Berlin")

    def problem(self, value: Any) -> str:
        try:
            zone_of(value)
        except ValueError:
            return tr("There is no such zone.")
        return ""


@dataclass(frozen=True, slots=True)
class AeTitle:
    """An application entity title (PS3.5 6.2, AE)."""

    may_be_empty: bool = False

    @property
    def allowed(self) -> str:
        return tr(
            "1 to 16 ASCII characters, no backslash, no control characters, no space at either end"
        )

    def problem(self, value: Any) -> str:
        if not value and self.may_be_empty:
            return ""
        good = value.isascii() and value.isprintable() and "\\" not in value
        if good and 0 < len(value) <= 16 and value == value.strip():
            return ""
        return tr("This is not an AE title.")


_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Host:
    """A host name or an IP address, without scheme or port."""

    @property
    def allowed(self) -> str:
        return tr("a host name or an IP address, without scheme and port")

    def problem(self, value: Any) -> str:
        try:
            ip_address(value)
        except ValueError:
            labels = value.rstrip(".").split(".")
            numeric = labels[-1].isdigit()  # an address with a slip in it, not a name
            if len(value) <= 253 and not numeric and all(map(_LABEL.fullmatch, labels)):
                return ""
            return tr("This is neither a host name nor an IP address.")
        return ""


@dataclass(frozen=True, slots=True)
class Network:
    """An IP address, or a network in CIDR form."""

    @property
    def allowed(self) -> str:
        return tr("an IP address, or a network as 10.20.0.0/16 (the part behind it all zeros)")

    def problem(self, value: Any) -> str:
        try:
            ip_network(value)
        except ValueError:
            return tr("This is neither an address nor a network.")
        return ""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A URL of one of the schemes; user and password have settings of their own."""

    schemes: tuple[str, ...] = ("http", "https")

    @property
    def allowed(self) -> str:
        return tr(
            "empty, or {schemes} with a host, without user, password, query and fragment",
            schemes=", ".join(f"{scheme}://" for scheme in self.schemes),
        )

    def problem(self, value: Any) -> str:
        if not value:
            return ""
        bad = tr("This is not an address that can be used.")
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            return bad
        if parts.scheme not in self.schemes or not parts.hostname or port == 0:
            return bad
        if parts.username is not None or parts.query or parts.fragment:
            return tr("It carries more than scheme, host, port and path.")
        return Host().problem(parts.hostname)


@dataclass(frozen=True, slots=True)
class ExistingFile:
    """A file that is there; empty for none."""

    @property
    def allowed(self) -> str:
        return tr("empty, or the full path of a file that can be read")

    def problem(self, value: Any) -> str:
        if not value:
            return ""
        if problem := _escaped_path(value):
            return problem
        path = Path(value)
        if not path.is_absolute():
            return tr("It is not a full path.")
        return "" if path.is_file() else tr("There is no such file.")


@dataclass(frozen=True, slots=True)
class FullPath:
    """A full path that need not exist yet."""

    may_be_empty: bool = False

    @property
    def allowed(self) -> str:
        return tr("empty, or a full path") if self.may_be_empty else tr("a full path")

    def problem(self, value: Any) -> str:
        if not value and self.may_be_empty:
            return ""
        if problem := _escaped_path(value):
            return problem
        return "" if Path(value).is_absolute() else tr("It is not a full path.")


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return tr("one of {words}", words=", ".join(f'"{word}"' for word in self.words))

    def problem(self, value: Any) -> str:
        return "" if value in self.words else tr("This is not one of the words known here.")


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of a form: `words` says the form."""

    pattern: str
    words: str

    @property
    def allowed(self) -> str:
        return tr(self.words)

    def problem(self, value: Any) -> str:
        return "" if re.fullmatch(self.pattern, value) else tr("It does not have the right form.")


@dataclass(frozen=True, slots=True)
class Items:
    """How many entries a list may have. All other rules of a list hold for each entry."""

    most: int

    @property
    def allowed(self) -> str:
        return tr("at most {n} entries, each once", n=self.most)

    def problem(self, value: Sequence[object]) -> str:
        if len(value) > self.most:
            return tr("There are {n} entries.", n=len(value))
        return "" if len(set(value)) == len(value) else tr("An entry stands there twice.")
