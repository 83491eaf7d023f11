"""Ports that take whoever calls are told of, as advice."""

from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.diagnostics.open_ports import open_ports
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import ArchiveDestination, ProofChoice, Settings

OURS = "10.1.1.1"
PACS = ArchiveDestination(
    "pacs",
    host="10.1.1.2",
    port=104,
    ae_title="PACS",
    proof=ProofChoice.STORAGE_COMMITMENT,
    commitment_host=OURS,
    commitment_port=11113,
)


def keys(tmp_path: Path, adt: AdtFeed | None, *archives: ArchiveDestination) -> list[str]:
    found = list(open_ports(Settings(tmp_path, adt=adt, archives=archives)))
    assert all(one.problem and one.remedy for one in found)
    return [one.key for one in found]


@pytest.mark.parametrize(
    ("adt", "is_open"),
    [
        (AdtFeed(host=OURS), True),
        (AdtFeed(host="0.0.0.0"), True),  # noqa: S104 - what the settings would say; nothing listens
        (AdtFeed(host="::"), True),
        (AdtFeed(host="station-7"), True),
        (AdtFeed(host=OURS, tls=True, certificate_file="c"), True),  # it asks for no certificate
        (AdtFeed(host=OURS, tls=True, certificate_file="c", ca_file="ca"), False),
        (AdtFeed(host=OURS, senders=("10.20.0.5",)), False),
        (AdtFeed(host="127.0.0.1"), False),
        (AdtFeed(host="localhost"), False),
        (None, False),
    ],
)
def test_a_feed_that_anybody_may_send_to(
    tmp_path: Path, adt: AdtFeed | None, *, is_open: bool
) -> None:
    assert keys(tmp_path, adt) == ["adt.senders"] * is_open


@pytest.mark.parametrize(
    ("archive", "is_open"),
    [
        (PACS, True),
        (replace(PACS, tls=True), True),  # its own port speaks TLS, ours does not
        (replace(PACS, tls=True, certificate_file="c", certificate_key_file="k"), False),
        (replace(PACS, report_senders=("10.1.1.2",)), False),
        (replace(PACS, commitment_host="127.0.0.1"), False),
        (replace(PACS, commitment_port=None), False),
        (replace(PACS, proof=ProofChoice.PIXEL_HASH, url="https://pacs/"), False),
    ],
)
def test_a_port_for_reports_that_anybody_may_report_to(
    tmp_path: Path, archive: ArchiveDestination, *, is_open: bool
) -> None:
    first = replace(PACS, name="other", report_senders=("10.1.1.9",))
    expected = ["archives[1].report_senders"] * is_open
    assert keys(tmp_path, None, first, archive) == expected
