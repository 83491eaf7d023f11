"""Who may call a port of ours: networks that the settings name, and what counts as one caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

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

    def __or__(self, other: AllowedNetworks) -> AllowedNetworks:
        """Who may call by either; everybody where one of them names none."""
        if not (self.networks and other.networks):
            return EVERYBODY
        return AllowedNetworks(self.networks + other.networks)


EVERYBODY: Final = AllowedNetworks()


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
