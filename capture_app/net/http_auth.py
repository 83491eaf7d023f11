"""What a server's 401 asks for, and the answer to it: Basic (RFC 7617) and Digest (RFC 7616).

RTSP servers use the same (RFC 2326 section 12.5, RFC 7826 section 19).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256"}
_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)\s+(?=[A-Za-z]+\s*=)")
_PARAMETER: Final = re.compile(r'([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_LONGEST_FIELD: Final = 4096


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that a server offers. `algorithm` is empty for Basic."""

    realm: str
    algorithm: str = ""
    nonce: str = ""
    opaque: str = ""
    has_qop: bool = False

    @property
    def is_basic(self) -> bool:
        """Whether the password itself would be sent."""
        return not self.algorithm


def strongest_challenge(fields: Iterable[str]) -> Challenge | None:
    """The best that we can answer of what the WWW-Authenticate fields offer; None for none."""
    offered = [one for field in fields for one in _challenges(_text(field[:_LONGEST_FIELD]))]
    order = ["SHA-256", "MD5", ""]
    return min(offered, key=lambda one: order.index(one.algorithm), default=None)


class Authorisation:
    """Answers to one challenge, for request after request."""

    def __init__(self, challenge: Challenge, user: str, password: str) -> None:
        self.challenge = challenge
        self._user = user
        self._password = password
        self._count = 0

    def field(self, method: str, uri: str) -> str:
        """The value of Authorization for a request. `uri` as it stands in the request line."""
        if self.challenge.is_basic:
            token = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            return f"Basic {token}"
        return self._digest(method, uri, secrets.token_hex(16))

    def _digest(self, method: str, uri: str, cnonce: str) -> str:
        asked = self.challenge
        secret = self._hash(f"{self._user}:{asked.realm}:{self._password}")
        request = self._hash(f"{method}:{uri}")
        said = {"username": self._user, "realm": asked.realm, "nonce": asked.nonce, "uri": uri}
        bare = {"algorithm": asked.algorithm}
        if asked.has_qop:
            self._count += 1
            count = f"{self._count:08x}"
            said["response"] = self._hash(f"{secret}:{asked.nonce}:{count}:{cnonce}:auth:{request}")
            said["cnonce"] = cnonce
            bare |= {"qop": "auth", "nc": count}
        else:
            said["response"] = self._hash(f"{secret}:{asked.nonce}:{request}")
        if asked.opaque:
            said["opaque"] = asked.opaque
        quoted = [f'{name}="{_escaped(value)}"' for name, value in said.items()]
        return "Digest " + ", ".join([*quoted, *(f"{n}={v}" for n, v in bare.items())])

    def _hash(self, text: str) -> str:
        name = _HASHES[self.challenge.algorithm]
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _challenges(field: str) -> Iterable[Challenge]:
    unquoted = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), field)
    begins = [*_SCHEME.finditer(unquoted)]
    ends = [*(begin.start() for begin in begins), len(field)]
    for begin, end in zip(begins, ends[1:], strict=True):
        parameters = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
            for name, quoted, bare in _PARAMETER.findall(field, begin.end(), end)
        }
        realm = parameters.get("realm", "")
        match begin[1].lower():
            case "basic":
                yield Challenge(realm)
            case "digest":
                algorithm = parameters.get("algorithm", "MD5").upper()
                qops = {qop.strip().lower() for qop in parameters.get("qop", "").split(",")}
                if algorithm in _HASHES and qops & {"", "auth"} and parameters.get("nonce"):
                    yield Challenge(
                        realm,
                        algorithm,
                        parameters["nonce"],
                        parameters.get("opaque", ""),
                        has_qop="auth" in qops,
                    )
            case _:
                pass  # one that we cannot answer


def _text(field: str) -> str:
    """A field in one line; bytes that are UTF-8 as what they say."""
    with suppress(UnicodeError):  # then it is what it is
        field = field.encode("latin-1").decode()
    return re.sub(r"[\x00-\x1f\x7f]+", " ", field)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
