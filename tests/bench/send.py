"""100 pictures to Orthanc as it is shipped, against DCMTK's dcmsend."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from capture_app.archive.connect import connect
from capture_app.archive.held_copy import read_held_copy
from capture_app.dicom import part10
from capture_app.dicom.build import build
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.model.delivery import Instance, StoreReceipt
from capture_app.model.part10_file import Part10File
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from capture_app.store.cipher import Cipher
from capture_app.store.sealed import proved_content, write_sealed
from tests import sealing
from tests.bench.measures import Measure, seconds, slower_than
from tests.bench.workshop import Workshop
from tests.peers import HOST, Orthanc, run_orthanc

_OBJECTS = 100
_CIPHER = Cipher(bytes(range(32)))


@dataclass(frozen=True, slots=True)
class _Object:
    """One instance twice on the disk: as a DICOM file for dcmsend, and sealed, as ours are."""

    instance: Instance
    file: Path
    sealed: Path


def measure(shop: Workshop) -> Iterator[Measure]:
    """All three send the same objects to an archive that is empty; then it is asked what it has."""
    objects = _objects(shop)
    ways: dict[str, Callable[[Orthanc], object]] = {
        "dcmsend": partial(_dcmsend, objects),
        "C-STORE": partial(_ours, objects, shop, ArchiveProtocol.DIMSE),
        "STOW": partial(_ours, objects, shop, ArchiveProtocol.STOW),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    wanted = sorted(one.instance.sop_instance_uid for one in objects)
    for _ in range(shop.rounds):
        for name, send in ways.items():
            os.sync()  # what was written before is not written now, at the cost of one of them
            with run_orthanc(nagle=True) as orthanc:
                times[name].append(seconds(partial(send, orthanc)))
                assert orthanc.sop_instance_uids() == wanted, f"{name}: not all have arrived"
    megabytes = sum(one.instance.size for one in objects) // 1_000_000
    for name, at_most in (("C-STORE", 1.1), ("STOW", 0.4)):
        yield slower_than(
            f"{name}: decrypt and send {_OBJECTS} pictures, {megabytes} MB, to Orthanc",
            times[name],
            "dcmsend",
            times["dcmsend"],
            at_most=at_most,
        )


def _objects(shop: Workshop) -> list[_Object]:
    files, sealed = shop.room("files"), shop.room("sealed")
    image = prepare_jpeg(shop.jpeg)
    study, series = shop.clock.new_uid(), shop.clock.new_uid()
    objects = []
    for number in range(1, _OBJECTS + 1):
        request = sealing.request(
            image=image,
            sop_instance_uid=shop.clock.new_uid(),
            series_instance_uid=series,
            study_instance_uid=study,
            instance_number=number,
        )
        ds = build(request)
        content = part10.write(ds)
        instance = part10.describe_instance(ds, len(content))
        path = write_sealed(
            sealed,
            uid=instance.sop_instance_uid,
            identity=b"{}",
            content=content,
            cipher=_CIPHER,
            kind="instance",
        )
        file = files / f"{number:03d}.dcm"
        file.write_bytes(content)
        objects.append(_Object(instance, file, path))
    return objects


def _dcmsend(objects: list[_Object], orthanc: Orthanc) -> None:
    files = [str(one.file) for one in objects]
    argv = ["dcmsend", "-aec", orthanc.aet, HOST, str(orthanc.dicom_port), *files]
    subprocess.run(argv, check=True)


def _ours(
    objects: list[_Object], shop: Workshop, protocol: ArchiveProtocol, orthanc: Orthanc
) -> None:
    archive = connect(
        ArchiveDestination(
            name="orthanc",
            protocol=protocol,
            host=HOST,
            port=orthanc.dicom_port,
            ae_title=orthanc.aet,
            url=orthanc.dicomweb,
            user=orthanc.auth[0],
            password_key="password",
        ),
        sealing.STATION,
        listener=None,
        clock=shop.clock,
        password={"password": orthanc.auth[1]}.get,
        read_copy=read_held_copy,
    )
    paths = {one.instance.sop_instance_uid: one.sealed for one in objects}

    def read(instance: Instance) -> Part10File:
        uid = instance.sop_instance_uid
        return proved_content(paths[uid], _CIPHER, uid=uid)

    for _uid, outcome in archive.store([one.instance for one in objects], read):
        assert isinstance(outcome, StoreReceipt), outcome
