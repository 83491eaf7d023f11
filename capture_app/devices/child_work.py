"""What the child of one device does: it opens the device, and hands its frames out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import cv2  # noqa: F401 - before the child says that it is ready: a cold disk takes seconds over it
import numpy as np

from capture_app.clock import Clock
from capture_app.devices.opening import open_here
from capture_app.devices.source import OpenedSource
from capture_app.devices.trouble import DeviceTroubleError
from capture_app.errors import TaskRefusedError
from capture_app.model.device import DeviceKind
from capture_app.model.frame import Frame
from capture_app.sandbox.task import Block, Call, ChildAnswer, Facts, Work
from capture_app.settings.schema import Device


def show_device(clock: Clock) -> Work:
    """The work of a camera's child. Refuses with a code of `trouble.Trouble`."""

    def work(call: Call) -> Iterator[ChildAnswer]:
        asked = call.question
        device = Device(
            asked["id"],
            asked["id"],
            DeviceKind(asked["kind"]),
            asked["address"],
            latency_ms=asked["latency_ms"],
            largest_size=asked["largest_size"],
            least_rate=asked["least_rate"],
            locked=tuple(asked["locked"]),
        )
        source = open_here(device, clock, pace=asked["pace"])

        def hear(note: Facts) -> None:
            if "stop" in note:
                source.close()
            else:
                source.renew()

        call.listen(hear)
        try:
            for frame in source.frames():
                yield _answer(frame, clock, source)
        except DeviceTroubleError as error:
            raise TaskRefusedError(error.trouble) from error

    return work


def _answer(frame: Frame, clock: Clock, source: OpenedSource) -> ChildAnswer:
    """Its times as moments of the monotonic clock, which is the same in every process."""
    exposed_at = clock.monotonic() - (clock.now() - frame.taken_at).total_seconds()
    pixels = np.ascontiguousarray(frame.pixels)
    blocks = [Block("pixels", pixels.data, pixels.shape)]
    if frame.jpeg is not None:
        blocks.append(Block.of_bytes("jpeg", frame.jpeg))
    facts = {
        "exposed_at": exposed_at,
        "not_before": frame.not_before,
        "late": frame.late,
        "sent_at": clock.monotonic(),
        "pace": source.pace,
        "opened": source.opened and asdict(source.opened),
        "pixel_aspect": list(frame.pixel_aspect),
    }
    return ChildAnswer(facts, tuple(blocks))
