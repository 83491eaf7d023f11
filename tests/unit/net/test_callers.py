"""Who may call a port, and what counts as one caller."""

import pytest

from capture_app.net.callers import AllowedNetworks, caller_place


@pytest.mark.parametrize(
    ("networks", "peer", "may"),
    [
        ([], "203.0.113.9", True),
        (["10.20.0.0/16"], "10.20.3.4", True),
        (["10.20.0.0/16"], "10.21.3.4", False),
        (["10.20.0.5"], "10.20.0.5", True),
        (["10.20.0.5"], "10.20.0.50", False),
        (["10.20.0.5"], "::ffff:10.20.0.5", True),  # a port of both families names it so
        (["10.20.0.5"], "::ffff:10.20.0.6", False),
        (["fd00:1::/32"], "fd00:1::7", True),
        (["fd00:1::/32"], "fd00:2::7", False),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["10.20.0.5", "fd00::/8"], "fd12::1", True),
        (["10.20.0.5"], "no address", False),
        (["10.20.0.5"], "", False),
    ],
)
def test_who_may_call(networks: list[str], peer: str, may: bool) -> None:
    assert AllowedNetworks.of(networks).admits(peer) is may


def test_what_counts_as_one_caller() -> None:
    assert caller_place("10.0.0.1") == caller_place("::ffff:10.0.0.1") == "10.0.0.1"
    assert caller_place("fd00::1") == caller_place("fd00::ffff:1") == "fd00::/64"
    assert caller_place("fd00:0:0:1::1") != caller_place("fd00::1")
    assert caller_place("") == ""
