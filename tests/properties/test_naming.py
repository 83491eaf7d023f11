"""One authority under two names: the same people come out whatever the order of messages."""

import random
import tempfile
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capture_app.clock import FixedClock
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher

NOW = datetime(2026, 11, 27, 20, tzinfo=UTC)
FEED = AdtFeed(identifier_type="MR", port=1, zone="UTC")
NAMES = ("HOSP", "&1.2.3&ISO", "HOSP&1.2.3&ISO", "1.2.3", "CLINIC", "CLINIC&2.4&ISO", "&2.4&ISO")
CONTRADICTING = ("HOSP&2.4&ISO", "KLINIK&1.2.3&ISO")

said = st.tuples(
    st.sampled_from(["1001", "1002"]),
    st.sampled_from([*NAMES, *CONTRADICTING]),
    st.sampled_from(["A01", "A03", "A08", "A28"]),
)
agreeing = st.tuples(
    st.sampled_from(["1001", "1002"]), st.sampled_from(NAMES), st.sampled_from(["A01", "A08"])
)

Said = tuple[str, str, str]


def message(number: int, part: Said) -> bytes:
    who, authority, event = part
    at = f"20261127{8 + number // 60:02}{number % 60:02}00"
    return (
        f"MSH|^~\\&|ADT|HOSP|CAP|SITE|{at}||ADT^{event}|{number}|P|2.5.1\rEVN|{event}|{at}\r"
        f"PID|1||{who}^^^{authority}^MR||Doe^N{number}||19560714|F\r"
        f"PV1|1|I|4B^12^{number}{'|' * 16}V{who}{authority[0]}"
    ).encode()


def told(census: Census) -> set[tuple[str, str, str, str]]:
    return {
        (
            *entry.patient.patient_id.key,
            entry.patient.name.pn,
            str(entry.encounter.state) if entry.encounter else "",
        )
        for entry in census.find("")
    }


def after(messages: list[bytes]) -> set[tuple[str, str, str, str]]:
    """Who is listed after these messages, in the process that took them and in all others."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder)

        def opened() -> Census:
            made = open_census(
                path, Cipher(b"k" * 32), FixedClock(NOW), Settings(data_dir=path, adt=FEED)
            )
            return stack.enter_context(closing(made))

        census, other = opened(), opened()
        receiver = AdtReceiver(census, FEED, FixedClock(NOW))
        for each in messages:
            assert b"MSA|AA" in receiver.handle(each)
            other.refresh()
        again = opened()
        found = told(census)
        assert told(other) == told(again) == found
        again.rebuild()
        assert told(again) == found
        return found


@pytest.mark.expects_log("authority-named-in-two-ways")
@settings(max_examples=15)
@example(
    [("1001", "HOSP&1.2.3&ISO", "A01"), ("1001", "HOSP&2.4&ISO", "A08")],
    random.Random(0),
)
@given(st.lists(said, min_size=2, max_size=7), st.randoms(use_true_random=False))
def test_any_order_makes_the_same_people_of_it(story: list[Said], rng: random.Random) -> None:
    messages = [message(number, part) for number, part in enumerate(story)]
    shuffled = [*messages]
    rng.shuffle(shuffled)
    assert after(messages) == after(shuffled)


@settings(max_examples=15)
@given(st.lists(agreeing, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_where_the_names_agree_each_number_of_an_authority_is_one_person(
    story: list[Said], rng: random.Random
) -> None:
    whole = [*story, ("1001", "HOSP&1.2.3&ISO", "A08"), ("1002", "CLINIC&2.4&ISO", "A08")]
    messages = [message(number, part) for number, part in enumerate(whole)]
    rng.shuffle(messages)
    people = {(number, issuer) for number, issuer, *_ in after(messages)}
    clinics = ("CLINIC", "CLINIC&2.4&ISO", "&2.4&ISO")
    assert people == {
        (number, "CLINIC" if name in clinics else "HOSP") for number, name, _ in whole
    }
