"""From the shutter to the promise, and from Send to the sealed file, in the application itself."""

import time
from collections.abc import Iterator
from itertools import count

from capture_app.bootstrap import Rooms, open_rooms
from capture_app.exam.session import Stopped
from capture_app.model.exam import Exam
from capture_app.model.frame import Frame
from capture_app.model.worklist import IdentifiedBy
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import ArchiveDestination, KeyStore, Security, Settings
from tests import sealing
from tests.bench.feed import admission
from tests.bench.measures import Measure, seconds, within
from tests.bench.workshop import Workshop

_JPEG_A_ROUND = 20
_RGB_A_ROUND = 5
_PATIENT = 100_001


def measure(shop: Workshop) -> Iterator[Measure]:
    """No promise is believed: every picture is read back at the end."""
    room = shop.room("shutter")
    security = Security(key_store=KeyStore.FILE, key_file=str(room / "key"))
    nowhere = ArchiveDestination(name="nowhere", host="127.0.0.1", port=1, ae_title="NOWHERE")
    settings = Settings(
        room / "data",
        station=sealing.STATION,
        institution=sealing.INSTITUTION,
        archives=(nowhere,),
        security=security,
        adt=AdtFeed(assigning_authority="HOSP"),
    )
    jpegs: list[float] = []
    rgbs: list[float] = []
    sealed: list[float] = []
    coded: list[float] = []
    with open_rooms(settings, shop.clock) as rooms:
        camera = _Camera(shop, rooms)
        for _ in range(shop.rounds):
            jpegs += [camera.seconds_to_safe(shop.jpeg) for _ in range(_JPEG_A_ROUND)]
            rgbs += [camera.seconds_to_safe(None) for _ in range(_RGB_A_ROUND)]
            drafts = [draft.capture_id for draft in rooms.outbox.drafts()]
            camera.see_that_all_are_kept(drafts, _JPEG_A_ROUND + _RGB_A_ROUND)
            sealed += [camera.seconds_to_sealed(draft) for draft in drafts[:_JPEG_A_ROUND]]
            coded += [camera.seconds_to_sealed(draft) for draft in drafts[_JPEG_A_ROUND:]]
            assert not rooms.outbox.drafts()
        assert rooms.outbox.counts().queued == len(sealed) + len(coded)
    yield within("Shutter to SAFE, 12-megapixel JPEG", jpegs, at_most=0.150)
    yield within("Shutter to SAFE, 12 megapixels uncompressed (36 MB)", rgbs)
    yield within("Send to sealed and durable, 12-megapixel JPEG", sealed)
    yield within("Send to sealed and durable, 12 megapixels coded without loss", coded)


class _Camera:
    """Takes pictures in one exam of the application."""

    def __init__(self, shop: Workshop, rooms: Rooms) -> None:
        self._shop = shop
        self._rooms = rooms
        self._numbers = count(1)
        assert rooms.settings.adt is not None
        receiver = AdtReceiver(rooms.census, rooms.settings.adt, shop.clock)
        assert b"MSA|AA" in receiver.handle(admission(_PATIENT))
        (entry,) = rooms.census.lookup(str(_PATIENT))
        self._exam: Exam = rooms.exams.open(entry, sealing.NURSE, IdentifiedBy.SCAN)

    def seconds_to_safe(self, jpeg: bytes | None) -> float:
        """From the frame to the moment at which the picture is promised."""
        frame = Frame(
            sealing.CAMERA.device_id,
            next(self._numbers),
            self._shop.clock.now(),
            self._shop.clock.monotonic(),
            self._shop.pixels,
            jpeg,
        )
        safe_at: list[float] = []
        begun = time.perf_counter()
        self._rooms.exams.take(
            self._exam,
            frame,
            device=sealing.CAMERA,
            description=sealing.description(),
            on_safe=lambda _capture_id: safe_at.append(time.perf_counter()),
        )
        return safe_at[0] - begun

    def seconds_to_sealed(self, capture_id: str) -> float:
        """From Send to where it is sealed, durable, and a step of the delivery."""
        send = self._rooms.exams.send
        seen = {capture_id: self._rooms.outbox.description_of(capture_id)}

        def act() -> None:
            assert not isinstance(
                send(self._exam, seen, shown=self._exam.patient, release_now=True), Stopped
            )

        return seconds(act)

    def see_that_all_are_kept(self, drafts: list[str], wanted: int) -> None:
        """Decrypts every picture."""
        assert len(drafts) == wanted
        sizes = [len(self._rooms.outbox.image_of(capture_id).data) for capture_id in drafts]
        raw = self._shop.pixels.size
        assert sizes.count(raw) == _RGB_A_ROUND
        assert all(size > len(self._shop.jpeg) * 0.9 for size in sizes)
