"""A process that seals, sends and proves a clip of many megabytes, and says how much memory it had.

    python -m tests.faults.big_clip FOLDER MEGABYTES DICOM_PORT WEB_URL

Its frames are made, not kept: one JPEG, made a megabyte long by what follows its end (T.81 B.1.1.5
says nothing of it; the builder of real clips cuts it).
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from capture_app.archive.held_copy import read_held_copy
from capture_app.archive.proof import PixelHash
from capture_app.clock import SystemClock
from capture_app.dicom.build import build_clip
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import clip_pieces, clip_sha256, describe_clip
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.coded_clip import CodedClip
from capture_app.net.deadline import Interruption
from capture_app.net.http import HttpClient
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import proved_content, write_sealed
from tests.archives import archive_for, said
from tests.peers import HOST
from tests.sealing import SCANNER, clip_request, jpeg

CIPHER = Cipher(bytes(range(32)))
FRAME_BYTES = 1_000_003


def made(count: int) -> CodedClip:
    image = prepare_jpeg(jpeg())
    frame = image.data + b"\x5a" * (FRAME_BYTES - len(image.data) - 2) + b"\xff\xd9"

    def frames() -> Iterator[bytes]:
        for number in range(count):
            yield frame[:-8] + number.to_bytes(6, "big") + frame[-2:]

    times = tuple(range(0, count * 40_000, 40_000))
    return CodedClip(image, (FRAME_BYTES,) * count, times, clip_sha256(frames()), frames)


def peak_mb() -> float:
    """The most memory that this process ever had (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main(folder: str, megabytes: str, port: str, url: str) -> None:
    before = peak_mb()
    clip, clock = made(int(megabytes)), SystemClock()
    uids = [clock.new_uid() for _ in range(3)]
    asked = replace(
        clip_request(clip, SCANNER),
        sop_instance_uid=uids[0],
        series_instance_uid=uids[1],
        study_instance_uid=uids[2],
    )
    ds = build_clip(asked, clip)
    verify(ds)
    instance = describe_clip(ds, clip)
    path = write_sealed(
        Path(folder),
        uid=instance.sop_instance_uid,
        identity=b"{}",
        content=clip_pieces(ds, clip),
        cipher=CIPHER,
        kind="instance",
    )
    by_dimse = ArchiveDestination("pacs", host=HOST, port=int(port), ae_title="STORESCP")
    by_web = ArchiveDestination("pacs", url=url, protocol=ArchiveProtocol.STOW)
    outcomes = []
    for destination in (by_dimse, by_web):
        archive = archive_for(destination)
        for _uid, outcome in archive.store(
            [instance], lambda one: proved_content(path, CIPHER, uid=one.sop_instance_uid)
        ):
            outcomes.append(said(outcome))
    proof = PixelHash(
        "pacs",
        url,
        client=HttpClient("pacs"),
        read_copy=read_held_copy,
        clock=clock,
        deadline_seconds=600,
    )
    outcomes += [said(outcome) for _uid, outcome in proof.prove([instance], Interruption())]
    print(json.dumps({"outcomes": outcomes, "size": instance.size, "mb": peak_mb() - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
