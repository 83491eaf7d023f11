"""Cameras behind networks that stall, drop and catch up: the truth beside what a clock says."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from capture_app.devices.exposure import Exposure, ExposureClock


@dataclass(frozen=True, slots=True)
class Link:
    """How a camera sends. Times in seconds."""

    interval: float = 0.04
    has_clock: bool = True
    drift: float = 0.0
    jitter: float = 0.01
    """Each picture is up to so much late, in order."""
    stall_every: float = 12.0
    longest_stall: float = 5.0
    holds: int = 10_000
    """So many pictures wait out a stall; the camera drops the others."""
    catch_up: float = 0.004
    """Between two pictures that come out of the buffer after a stall."""
    open_takes: tuple[float, float] = (0.1, 0.8)
    congested: float = 0.0
    """Between two pictures in every third quarter of a minute, when others use the link, too."""


@dataclass(slots=True)
class Seen:
    """A picture that a source would have handed on, beside the truth."""

    exposed: float
    exposure: Exposure


@dataclass(slots=True)
class Camera:
    """Plays one link for as long as it is asked, opened again whenever the clock asks for it."""

    link: Link
    random: Random
    now: float = 100.0
    openings: int = 0
    pace: float | None = None
    """What the clock of the last opening has learnt."""
    is_renewing: bool = False
    stalled: list[tuple[float, float]] = field(default_factory=list)

    def pictures(self) -> Iterator[Seen]:
        while True:
            self.openings += 1
            yield from self._opened()

    def _opened(self) -> Iterator[Seen]:
        link, random = self.link, self.random
        clock = ExposureClock(self.now, pace=self.pace)
        exposed = self.now + random.uniform(0, link.interval)
        begins = random.uniform(0, 1e6)
        ready = self.now + random.uniform(*link.open_takes)
        line: deque[float] = deque()
        next_stall = self.now + random.expovariate(1 / link.stall_every)
        stall_end = 0.0
        free_at = ready
        while True:
            if exposed >= next_stall:
                stall_end = next_stall + random.uniform(0.3, link.longest_stall)
                self.stalled.append((next_stall, stall_end))
                next_stall = stall_end + random.expovariate(1 / link.stall_every)
            line.append(exposed)
            if exposed < stall_end and len(line) > link.holds:
                line.pop()  # the camera's memory is full
            exposed += link.interval
            free_at = max(free_at, stall_end if exposed - link.interval < stall_end else 0.0)
            while line and free_at <= exposed:
                made = line.popleft()
                arrival = max(free_at, made + random.uniform(0, link.jitter))
                self.now = max(self.now, arrival)
                is_congested = link.congested and int(arrival / 15) % 3 == 0
                free_at = arrival + (link.congested if is_congested else link.catch_up)
                stamp = begins + made * (1 + link.drift) if link.has_clock else None
                exposure = clock.arrived(arrival, stamp)
                self.pace = clock.pace
                is_renewed, self.is_renewing = self.is_renewing, False
                if clock.must_reopen or (is_renewed and not clock.is_settled):
                    return
                yield Seen(made, exposure)


@dataclass(slots=True)
class Switches:
    """What patients' exams would have taken: one begins at random moments, the one before ends."""

    exams: int = 0
    crossed: int = 0
    """Pictures accepted by an exam that began after their exposure."""
    worst: float = 0.0
    waits: list[float] = field(default_factory=list)
    """From the beginning of each exam to the arrival of its first picture."""
    openings: int = 0


def switch_patients(link: Link, exams: int, seed: int) -> Switches:
    camera, random = Camera(link, Random(seed)), Random(seed + 1)
    said, began, next_at, waits_since = Switches(), float("inf"), 105.0, None
    for seen in camera.pictures():
        if seen.exposure.arrival >= next_at:
            if said.exams == exams:
                break
            began = waits_since = next_at
            said.exams += 1
            camera.is_renewing = True
            next_at = seen.exposure.arrival + random.uniform(0.5, 3)
        if seen.exposure.not_before < began:
            continue
        if waits_since is not None:
            said.waits.append(seen.exposure.arrival - waits_since)
            waits_since = None
        if seen.exposed < began:
            said.crossed += 1
            said.worst = max(said.worst, began - seen.exposed)
    said.openings = camera.openings
    return said
