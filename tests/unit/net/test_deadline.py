import pytest

from capture_app.clock import FixedClock
from capture_app.errors import TransientDeliveryError
from capture_app.net.deadline import Deadline, Interruption, UnderWay


def test_a_deadline_runs_down_and_stays_over(clock: FixedClock) -> None:
    deadline = Deadline.after(clock, 10)
    assert deadline.remaining == 10
    clock.advance(4)
    assert deadline.remaining == 6
    clock.advance(7)
    assert deadline.remaining == -1


def test_telling_ends_what_blocks_and_refuses_what_comes() -> None:
    interruption = Interruption()
    ended: list[str] = []
    with interruption.ended_by(lambda: ended.append("first")):
        interruption.interrupt()
    assert ended == ["first"]
    late = interruption.ended_by(lambda: ended.append("second"))
    with pytest.raises(TransientDeliveryError) as caught, late:
        pass
    assert caught.value.code == "interrupted"
    assert ended == ["first"]


def test_telling_after_the_block_touches_nothing() -> None:
    interruption = Interruption()
    ended: list[str] = []
    with interruption.ended_by(lambda: ended.append("first")):
        pass
    interruption.interrupt()
    assert ended == []


def test_an_interrupt_ends_what_is_under_way_and_nothing_later() -> None:
    under_way = UnderWay()
    under_way.interrupt()
    with under_way.exchange() as first, under_way.exchange() as second:
        under_way.interrupt()
        assert first.is_interrupted
        assert second.is_interrupted
    with under_way.exchange() as third:
        assert not third.is_interrupted
