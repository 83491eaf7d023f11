"""The pages of the health port: /health as JSON, /metrics in the text format of Prometheus."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Final

from capture_app.diagnostics.health import HealthReport
from capture_app.net.http_listener import HttpAnswer

_METRICS: Final[tuple[tuple[str, str], ...]] = (
    ("info", "The version, always 1."),
    ("good", "1 where there is no problem."),
    ("delivers", "1 where this process delivers, 0 where it stands by."),
    ("engine_round_age_seconds", "Since the engine ended a round."),
    ("drafts", "Pictures that were taken and not sent."),
    ("stopped", "Images that wait for a person, by who is asked."),
    ("received", "Images that scanners sent and that are nobody's yet."),
    ("oldest_received_seconds", "How long the oldest of them has waited."),
    ("waiting", "Images on their way, by destination."),
    ("oldest_waiting_seconds", "How long the oldest of them has been, by destination."),
    ("stopped_images", "Images that wait for a person, by destination."),
    ("feed_last_message_age_seconds", "Since the last message or answer, by feed."),
    ("feed_well", "1 where nothing is wrong with the feed."),
    ("feed_dead_letters", "Messages that could not be used, kept for a person to see."),
    ("feed_without_effect", "Messages that were accepted and had no effect."),
    ("disk_free_bytes", "Free on the disk of the data folder."),
    ("disk_needed_bytes", "Below this the shutter is off."),
    ("certificate_days", "Whole days that a certificate file still holds."),
    ("problem", "1 for each problem that there is, by its code."),
)


def page_of(look: Callable[[], HealthReport]) -> Callable[[str], HttpAnswer | None]:
    """The pages of the health port: /health as JSON (503 where there are problems), /metrics."""

    def page(path: str) -> HttpAnswer | None:
        if path == "/health":
            found = look()
            status = HTTPStatus.SERVICE_UNAVAILABLE if found.problems else HTTPStatus.OK
            body = {"good": not found.problems, **asdict(found)}
            return HttpAnswer(json.dumps(body, indent=1) + "\n", "application/json", status)
        if path == "/metrics":
            kind = "text/plain; version=0.0.4; charset=utf-8"
            return HttpAnswer("\n".join(_metrics(look())) + "\n", kind)
        return None

    return page


def _metrics(found: HealthReport) -> Iterator[str]:
    """The text format 0.0.4 of Prometheus. What is not known has no sample."""
    samples = list(_samples(found))
    for name, words in _METRICS:
        own = [(labels, value) for key, labels, value in samples if key == name]
        if own:
            yield f"# HELP capture_app_{name} {words}"
            yield f"# TYPE capture_app_{name} gauge"
            for labels, value in own:
                written = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
                named = f"{{{written}}}" if labels else ""
                yield f"capture_app_{name}{named} {value:.15g}"


def _samples(found: HealthReport) -> Iterator[tuple[str, dict[str, str], float]]:
    yield "info", {"version": found.version}, 1
    yield "good", {}, not found.problems
    yield "delivers", {}, found.delivers
    if found.round_s is not None:
        yield "engine_round_age_seconds", {}, found.round_s
    yield "drafts", {}, found.drafts
    yield "stopped", {"asked": "clinician"}, found.needs_you
    yield "stopped", {"asked": "it"}, found.it_asked
    yield "received", {}, found.received
    yield "oldest_received_seconds", {}, found.oldest_received_s
    for one in found.destinations:
        labels = {"destination": one.destination}
        yield "waiting", labels, one.waiting
        yield "oldest_waiting_seconds", labels, one.oldest_waiting_s
        yield "stopped_images", labels, one.stopped
    for feed in found.feeds:
        labels = {"feed": feed.feed, "kind": feed.kind}
        if feed.last_message_s is not None:
            yield "feed_last_message_age_seconds", labels, feed.last_message_s
        yield "feed_well", labels, feed.is_well
        yield "feed_dead_letters", labels, feed.dead_letters
        yield "feed_without_effect", labels, feed.without_effect
    if found.disk_free_bytes is not None:
        yield "disk_free_bytes", {}, found.disk_free_bytes
    yield "disk_needed_bytes", {}, found.disk_needed_bytes
    for certificate in found.certificates:
        named = {"owner": certificate.owner, "key": certificate.key}
        yield "certificate_days", named, certificate.days
    for problem in found.problems:
        yield "problem", {"code": problem}, 1


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
