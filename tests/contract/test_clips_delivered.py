"""Clips sent, and proved, without ever being held whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.dicom.build import build_clip
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import clip_pieces, describe_clip, read
from capture_app.errors import SealBrokenError
from capture_app.model.coded_clip import CodedClip
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from capture_app.store import sealed
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import proved_content, write_sealed
from tests.archive_samples import Sample, new_uid, photo
from tests.archives import archive_for, prove, said, store
from tests.peers import HOST, Orthanc, Storescp
from tests.sealing import CAMERA, SCANNER, clip, clip_request, frames

CIPHER = Cipher(bytes(range(32)))


def sample(made: CodedClip | None = None, *, scanner: bool = True) -> Sample:
    made = made or clip()
    asked = clip_request(made, SCANNER if scanner else CAMERA)
    uids = [new_uid() for _ in range(3)]
    asked = replace(
        asked,
        sop_instance_uid=uids[0],
        series_instance_uid=uids[1],
        study_instance_uid=uids[2],
    )
    ds = build_clip(asked, made)
    verify(ds)
    return Sample(describe_clip(ds, made), b"".join(clip_pieces(ds, made)))


@pytest.fixture
def web(orthanc: Orthanc) -> ArchiveDestination:
    return ArchiveDestination(
        "pacs",
        url=orthanc.dicomweb,
        user="rig",
        password_key="pacs-password",
        deadline_seconds=10,
        protocol=ArchiveProtocol.STOW,
    )


def test_dcmtk_gets_every_byte_of_it_beside_a_picture(storescp: Storescp) -> None:
    samples = [sample(), photo(), sample(scanner=False)]
    address = ArchiveDestination(
        "pacs", host=HOST, port=storescp.dicom_port, ae_title=storescp.aet, deadline_seconds=10
    )
    assert [said(one) for one in store(archive_for(address), samples)] == ["stored"] * 3
    received = [path.read_bytes() for path in storescp.files()]
    for one in samples:
        assert any(content.endswith(one.dataset) for content in received)


def test_orthanc_takes_it_by_stow_and_proves_it(web: ArchiveDestination) -> None:
    samples = [sample(), photo(), sample(scanner=False)]
    archive = archive_for(web)
    assert [said(one) for one in store(archive, samples)] == ["stored"] * 3
    proofs = prove(archive, [one.instance for one in samples])
    assert [said(one) for one in proofs] == ["pixel-hash"] * 3


def test_other_frames_another_patient_or_nothing_are_told(web: ArchiveDestination) -> None:
    held, missing = sample(), sample()
    archive = archive_for(web)
    assert [said(one) for one in store(archive, [held])] == ["stored"]
    asked = [
        held.seen_as(pixel_sha256="0" * 64),
        held.seen_as(patient_id="other"),
        missing.instance,
        held.instance,
    ]
    assert [said(*prove(archive, [one])) for one in asked] == [
        "refused content-mismatch",
        "refused identity-mismatch",
        "transient not-in-archive",
        "pixel-hash",
    ]


def test_a_sealed_clip_is_read_in_pieces_that_are_proved_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed, "_HELD_BYTES", 0)
    big = frames(400, 200, 320)
    made = clip(big)
    ds = build_clip(clip_request(made, SCANNER), made)
    path = write_sealed(
        tmp_path,
        uid=str(ds.SOPInstanceUID),
        identity=b"{}",
        content=clip_pieces(ds, made),
        cipher=CIPHER,
        kind="instance",
    )
    content = proved_content(path, CIPHER, uid=str(ds.SOPInstanceUID))
    pieces = [*content]
    assert len(pieces) > 2
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert sum(map(len, pieces)) == len(content) == describe_clip(ds, made).size
    assert read(content.whole()).NumberOfFrames == 400
    damaged = bytearray(path.read_bytes())
    damaged[-100] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(SealBrokenError):
        proved_content(path, CIPHER, uid=str(ds.SOPInstanceUID))
