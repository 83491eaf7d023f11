"""Answers to a server's challenge: the examples of RFC 7616, and what servers send."""

import re

import pytest

from capture_app.net.http_auth import Authorisation, Challenge, strongest_challenge

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_worked_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = strongest_challenge([RFC_7616.format(algorithm)])
    assert challenge is not None
    authorisation = Authorisation(challenge, "Mufasa", "Circle of Life")
    said = authorisation._digest("GET", "/dir/index.html", CNONCE)
    assert f'response="{response}"' in said
    assert "nc=00000001" in said
    assert "nc=00000002" in authorisation.field("GET", "/dir/index.html")
    assert "Circle of Life" not in said


def test_the_strongest_of_what_is_offered_is_taken() -> None:
    basic, md5 = 'Basic realm="a, Digest b=1"', 'Digest realm="a", nonce="n", algorithm=MD5'
    sha = 'Digest realm="a", nonce="n", algorithm=SHA-256'
    assert strongest_challenge([basic]) == Challenge("a, Digest b=1")
    for fields in ([f"{basic}, {md5}"], [md5, basic]):
        assert strongest_challenge(fields) == Challenge("a", "MD5", "n")
    assert strongest_challenge([basic, f"{md5}, {sha}"]) == Challenge("a", "SHA-256", "n")


@pytest.mark.parametrize(
    "field",
    [
        "",
        "Negotiate",
        "Digest",
        'Bearer realm="a"',
        'Digest realm="a"',
        'Digest realm="a", nonce="n", algorithm=MD5-sess',
        'Digest realm="a", nonce="n", qop="auth-int"',
    ],
)
def test_what_we_cannot_answer_is_none(field: str) -> None:
    assert strongest_challenge([field]) is None


def test_nothing_of_a_challenge_ends_the_line_of_the_answer() -> None:
    hostile = 'Digest realm="a\r\n\tX: \\"1", nonce="n\r\nY: 2", opaque="\x00\x0b"'
    challenge = strongest_challenge([hostile])
    assert challenge is not None
    said = Authorisation(challenge, 'nu"rse', "p").field("GET", "/")
    assert not re.search(r"[\x00-\x1f]", said)
    assert r'username="nu\"rse"' in said
