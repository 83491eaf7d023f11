"""Whether this station works: everything looked at once, each with a stable code and a remedy.

No patient's data moves and nothing is queued. What can be seen without speaking is in `cannot_work`
and `certificates`, who answers in `trials`, the computer itself in `own_computer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from capture_app.archive.connect import offers
from capture_app.archive.offered import Offer
from capture_app.clock import Clock
from capture_app.devices.trial import try_device
from capture_app.diagnostics import own_computer
from capture_app.diagnostics.cannot_work import OriginOf, cannot_work
from capture_app.diagnostics.certificates import certificate_lives
from capture_app.diagnostics.finding import Facts, Finding, Grade
from capture_app.diagnostics.open_ports import open_ports
from capture_app.diagnostics.time_servers import look_at_clock
from capture_app.diagnostics.trials import TRY_WITHIN_S, Tried, try_peers
from capture_app.errors import CaptureAppError, DeviceError
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import ImageKind
from capture_app.model.words import tr
from capture_app.security.keys import read_secret
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol, Device, Settings

_AREAS: Final = {"data_dir": "folder", "security": "key"}
_SIDE_BY_SIDE: Final = 8


def examine(
    settings: Settings, origin_of: OriginOf, clock: Clock, engine_lock: Path
) -> tuple[Finding, ...]:
    """Looks at everything; what takes long side by side. Takes as long as its slowest peer: at most
    about 15 s.
    """
    images = {device.image_kind for device in settings.devices} or {ImageKind.PHOTO}
    looks: list[Callable[[], Iterator[Finding]]] = [
        partial(_peers, settings, clock),
        *(
            partial(_contexts, archive, settings, images, clock)
            for archive in settings.archives
            if archive.protocol is ArchiveProtocol.DIMSE
        ),
        *(partial(_device, device, settings, clock) for device in settings.devices),
    ]
    delivery, somebody_delivers = own_computer.look_at_delivery(engine_lock)
    found = [
        *_settings(settings, origin_of, clock),
        *own_computer.look_at_disk(settings),
        *look_at_clock(clock),
        delivery,
        *own_computer.look_at_ports(settings, somebody_delivers=somebody_delivers),
        *_open_ports(settings),
        *_certificates(settings, clock),
    ]
    with ThreadPoolExecutor(_SIDE_BY_SIDE, "doctor") as pool:
        for told in pool.map(lambda look: tuple(look()), looks):
            found += told
    return (*found, *own_computer.look_at_libraries())


def _settings(settings: Settings, origin_of: OriginOf, clock: Clock) -> Iterator[Finding]:
    """Folder and key, each good or not, and every other setting that cannot work."""
    wrong = set()
    for fault in cannot_work(settings, origin_of, clock):
        if fault.key.endswith(("certificate_file", "ca_file")):
            continue  # told with the certificates
        area = _AREAS.get(fault.key.partition(".")[0], "settings")
        wrong.add(area)
        code = f"{area}-{fault.key.rpartition('.')[2].partition('[')[0].replace('_', '-')}"
        remedy = tr("Allowed: {allowed}", allowed=fault.allowed)
        yield Finding(area, fault.key, code, Grade.FAULT, fault.problem, remedy)
    if "folder" not in wrong:
        words = tr("The data folder can be used.")
        yield Finding("folder", "data_dir", "folder-good", Grade.GOOD, words)
        if "key" not in wrong:
            words = tr("The key is that of the data folder, or will be made at the first start.")
            yield Finding("key", settings.security.key_store, "key-good", Grade.GOOD, words)


def _certificates(settings: Settings, clock: Clock) -> Iterator[Finding]:
    for life in certificate_lives(settings, clock.now()):
        facts: Facts = {"days": life.days}
        remedy = tr("Put a new certificate in its place, and read the settings again.")
        if not life.is_valid:
            code, grade = "certificate-not-valid", Grade.FAULT
        elif life.problem:
            code, grade = "certificate-ends", Grade.ADVICE
        else:
            code, grade, remedy = "certificate-good", Grade.GOOD, ""
        words = life.problem or tr("It holds for {days} days.", days=life.days)
        yield Finding("certificate", life.key, code, grade, words, remedy, facts)


def _open_ports(settings: Settings) -> Iterator[Finding]:
    for one in open_ports(settings):
        code = "port-open-to-all"
        yield Finding("port", one.key, code, Grade.ADVICE, one.problem, one.remedy)


def _peers(settings: Settings, clock: Clock) -> Iterator[Finding]:
    for one in try_peers(settings, clock):
        yield _peer(one)


def _peer(one: Tried) -> Finding:
    way = one.way.lower()
    facts: Facts = {"way": one.way, "milliseconds": one.milliseconds}
    if one.answers:
        words = tr("It answers {way}.", way=one.way)
        return Finding(one.kind, one.name, f"{way}-good", Grade.GOOD, words, facts=facts)
    remedy = tr("Check address, port, AE titles and firewall, there and here.")
    return Finding(one.kind, one.name, f"{way}-failed", Grade.FAULT, one.reason, remedy, facts)


def _contexts(
    archive: ArchiveDestination, settings: Settings, images: set[ImageKind], clock: Clock
) -> Iterator[Finding]:
    """Which images, in which coding, an archive says that it takes."""
    short = replace(archive, deadline_seconds=min(archive.deadline_seconds, TRY_WITHIN_S))
    try:
        offered = offers(short, settings.station, sorted(images), clock)
    except (CaptureAppError, OSError):
        return  # told with the peers
    for one in offered:
        yield _offer(archive.name, one)


def _offer(archive: str, one: Offer) -> Finding:
    facts: Facts = {"sop_class": one.sop_class_uid, "transfer_syntaxes": one.transfer_syntaxes}
    remedy = tr("Allow this SOP class and coding for our AE title at the archive.")
    if not one.transfer_syntaxes:
        words = tr("It takes no {name}.", name=one.name)
        return Finding("contexts", archive, "class-not-taken", Grade.FAULT, words, remedy, facts)
    if one.is_image and not one.takes_camera_jpeg:
        words = tr("It takes no {name} as the JPEG that cameras deliver.", name=one.name)
        return Finding("contexts", archive, "jpeg-not-taken", Grade.FAULT, words, remedy, facts)
    if one.is_image and not one.takes_lossless:
        words = tr("It takes no {name} without loss.", name=one.name)
        return Finding("contexts", archive, "lossless-not-taken", Grade.FAULT, words, remedy, facts)
    words = tr("It takes {name}.", name=one.name)
    return Finding("contexts", archive, "class-taken", Grade.GOOD, words, facts=facts)


def _device(device: Device, settings: Settings, clock: Clock) -> Iterator[Finding]:
    try:
        seen = try_device(device, clock, partial(read_secret, settings.security))
    except DeviceError as error:
        remedy = (
            tr("Check address, user, network and that nobody else has the camera.")
            if device.kind is DeviceKind.STREAM
            else tr("Check plug and address, and that no other program has the device.")
        )
        yield Finding("device", device.id, "device-failed", Grade.FAULT, str(error), remedy)
        return
    facts: Facts = {"width": seen.width, "height": seen.height, "rate": seen.rate}
    words = tr("{width} x {height} pixels, {rate} pictures a second.", **facts)
    if seen.mode is not None and seen.mode.is_smaller:
        words = f"{words} " + tr("It was asked for {mode}.", mode=seen.mode.wanted)
        remedy = tr("Use another USB port or hub, or set largest_size to what it gives.")
        code = "device-smaller"
        yield Finding("device", device.id, code, Grade.ADVICE, words, remedy, facts)
        return
    yield Finding("device", device.id, "device-good", Grade.GOOD, words, facts=facts)
