"""Whether this station works: everything looked at once, each with a stable code and a remedy.

No patient's data moves and nothing is queued. What can be seen without speaking is in `cannot_work`
and `certificates`, who answers in `trials`, the computer itself in `own_computer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from capture_app.archive.connect import offers
from capture_app.archive.offered import Offer
from capture_app.clock import Clock
from capture_app.devices.network_camera import CameraNotReachedError
from capture_app.devices.trial import try_device
from capture_app.devices.trouble import DeviceTroubleError
from capture_app.diagnostics import own_computer
from capture_app.diagnostics.cannot_work import OriginOf, cannot_work
from capture_app.diagnostics.certificates import certificate_lives
from capture_app.diagnostics.finding import Facts, Finding, Grade
from capture_app.diagnostics.open_ports import open_ports
from capture_app.diagnostics.time_servers import look_at_clock
from capture_app.diagnostics.trials import TRY_WITHIN_S, Tried, try_peers
from capture_app.errors import CaptureAppError, DeviceError, SettingsFault
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import ImageKind
from capture_app.model.words import tr, trn
from capture_app.security.keys import read_secret
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol, Device, Settings

_Look = tuple[str, Callable[[], Iterator[Finding]]]
_log = structlog.get_logger(__name__)

_AREAS: Final = {"data_dir": "folder", "security": "key"}
_SIDE_BY_SIDE: Final = 8


def examine(
    settings: Settings,
    origin_of: OriginOf,
    clock: Clock,
    engine_lock: Path,
    faults: Sequence[SettingsFault] = (),
) -> tuple[Finding, ...]:
    """Looks at everything; what takes long side by side. Takes as long as its slowest peer: at most
    about 15 s. A look that fails is a finding of its own, and the others go on.

    `faults` are those of settings that cannot be used: then it looks at this computer alone, and
    speaks to nobody whom such settings name.
    """
    found = list(_looked("delivery", partial(_delivery, settings, engine_lock, faults)))
    here: list[_Look] = [
        ("settings", partial(_not_usable, faults))
        if faults
        else ("settings", partial(_settings, settings, origin_of, clock)),
        ("disk", partial(own_computer.look_at_disk, settings)),
        ("clock", partial(look_at_clock, clock)),
        ("library", own_computer.look_at_libraries),
    ]
    if not faults:
        here += [
            ("port", partial(_open_ports, settings)),
            ("certificate", partial(_certificates, settings, clock)),
        ]
    for area, look in here:
        found += _looked(area, look)
    peers = [] if faults else _looks_at_peers(settings, clock)
    with ThreadPoolExecutor(_SIDE_BY_SIDE, "doctor") as pool:
        for told in pool.map(lambda one: _looked(*one), peers):
            found += told
    return tuple(found)


def _looks_at_peers(settings: Settings, clock: Clock) -> list[_Look]:
    images = {device.image_kind for device in settings.devices} or {ImageKind.PHOTO}
    return [
        ("archive", partial(_peers, settings, clock)),
        *(
            ("contexts", partial(_contexts, archive, settings, images, clock))
            for archive in settings.archives
            if archive.protocol is ArchiveProtocol.DIMSE
        ),
        *(("device", partial(_device, device, settings, clock)) for device in settings.devices),
    ]


def _looked(area: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """All that the look found; where it failed in a way that nobody foresaw, that too."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except Exception as error:  # noqa: BLE001 - logged; who looks needs the rest of it
        _log.warning("doctor-look-failed", source=area, exc_info=True)
        words = tr("This could not be looked at: {kind}.", kind=type(error).__name__)
        remedy = tr("Send it with a support bundle: it is a fault of Capture App.")
        if isinstance(error, CaptureAppError | OSError):
            why = str(error) if isinstance(error, CaptureAppError) else error.strerror or ""
            words = tr("This could not be looked at: {why}.", why=why.rstrip("."))
            remedy = tr("Look as the user who runs the service, or mend what it names.")
        found.append(Finding(area, "doctor", "look-failed", Grade.FAULT, words, remedy))
    return found


def _delivery(
    settings: Settings, engine_lock: Path, faults: Sequence[SettingsFault]
) -> Iterator[Finding]:
    delivery, somebody_delivers = own_computer.look_at_delivery(engine_lock)
    yield delivery
    if not faults:
        yield from own_computer.look_at_ports(settings, somebody_delivers=somebody_delivers)


def _not_usable(faults: Sequence[SettingsFault]) -> Iterator[Finding]:
    words = trn("{n} setting is wrong.", "{n} settings are wrong.", len(faults))
    remedy = tr("Mend each that is told of: capture-app settings check names them.")
    yield Finding("settings", "file", "settings-not-usable", Grade.FAULT, words, remedy)
    yield Finding(
        "settings",
        "peers",
        "peers-not-tried",
        Grade.ADVICE,
        tr("Ports, certificates, archives, worklists and cameras were not looked at."),
        tr("Mend the settings, then look again."),
    )


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
        remedy = tr("Put a new certificate in its place: the next connection takes it.")
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
    if one.code.startswith("tls"):
        remedy = tr("Mend the certificate or the TLS that it names, there or in the settings.")
    if one.code:
        facts = {**facts, "reason": one.code}
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
        # Told by its id: what people call it may be anything, and a support bundle leaves it out.
        by_id = replace(device, name=device.id)
        seen = try_device(by_id, clock, partial(read_secret, settings.security))
    except DeviceError as error:
        remedy = (
            tr("Check address, user, network and that nobody else has the camera.")
            if device.kind is DeviceKind.STREAM
            else tr("Check plug and address, and that no other program has the device.")
        )
        why: Facts = {}
        if isinstance(error, CameraNotReachedError):
            why = {"reason": error.code}
        elif isinstance(error, DeviceTroubleError):
            why = {"reason": error.trouble.value}
        yield Finding("device", device.id, "device-failed", Grade.FAULT, str(error), remedy, why)
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
