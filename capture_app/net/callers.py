"""Who may call a port of ours, by network and by certificate, and what counts as one caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from ssl import SSLSocket
from typing import Any, Final

_ONE_NETWORK_V6: Final = 64
"""Whoever has one IPv6 address has all of its /64 (RFC 4291 2.5.1)."""


@dataclass(frozen=True, slots=True)
class AllowedNetworks:
    """The networks that may call. None named: everybody may."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> AllowedNetworks:
        """From addresses and networks as 10.1.2.3, 10.1.0.0/16, fd00::/8. ValueError for others."""
        return cls(tuple(map(ip_network, texts)))

    def admits(self, peer: str) -> bool:
        """Whether a caller with this address may call. One that is no address may not."""
        if not self.networks:
            return True
        address = _address(peer)
        return address is not None and any(address in network for network in self.networks)


EVERYBODY: Final = AllowedNetworks()


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate that a caller showed, its chain proved already."""

    fingerprint: str
    """SHA-256 of its DER form, in lower case."""
    names: frozenset[str]
    """Subject alternative names (DNS and IP); the common name where it has none of these."""

    @classmethod
    def of(cls, sock: SSLSocket) -> Certificate | None:
        """What the other side showed; None where it showed none."""
        encoded = sock.getpeercert(binary_form=True)
        if not encoded:
            return None
        said: Any = sock.getpeercert() or {}
        names = {text for kind, text in said.get("subjectAltName", ()) if kind in _NAMES}
        if not names:
            pairs = (pair for name in said.get("subject", ()) for pair in name)
            names = {text for kind, text in pairs if kind == "commonName"}
        return cls(sha256(encoded).hexdigest(), frozenset(map(str.lower, names)))


@dataclass(frozen=True, slots=True)
class AllowedCallers:
    """Who may call: by network, and where TLS is spoken by certificate."""

    networks: AllowedNetworks = EVERYBODY
    certificates: frozenset[str] = field(default=frozenset())
    """Names and SHA-256 fingerprints, in lower case; none named: any whose chain is trusted."""

    @classmethod
    def of(cls, networks: Iterable[str], certificates: Iterable[str]) -> AllowedCallers:
        """From the settings; a fingerprint may have colons. ValueError for what is no network."""
        return cls(AllowedNetworks.of(networks), frozenset(map(_bare, certificates)))

    def admits(self, peer: str, certificate: Certificate | None) -> bool:
        """Whether this caller may call."""
        return self.networks.admits(peer) and self.admits_certificate(certificate)

    def admits_certificate(self, certificate: Certificate | None) -> bool:
        """Whether who shows this may call."""
        if not self.certificates:
            return True
        if certificate is None:
            return False
        return not self.certificates.isdisjoint({certificate.fingerprint, *certificate.names})


ANYBODY: Final = AllowedCallers()
_NAMES: Final = frozenset({"DNS", "IP Address"})
_FINGERPRINT_DIGITS: Final = 64


def _bare(text: str) -> str:
    """A fingerprint without colons; names as they are."""
    bare = text.replace(":", "").lower()
    is_fingerprint = len(bare) == _FINGERPRINT_DIGITS and set(bare) <= set("0123456789abcdef")
    return bare if is_fingerprint else text.lower()


def caller_place(peer: str) -> str:
    """What counts as one caller where shares are counted: an IPv4 address, or an IPv6 /64."""
    address = _address(peer)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _ONE_NETWORK_V6), strict=False))
    return str(address) if address is not None else peer


def _address(peer: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
