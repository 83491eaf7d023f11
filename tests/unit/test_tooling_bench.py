"""The bench judges by ratios, and a missed goal is said and fails it."""

from tests.bench import report
from tests.bench.measures import Measure, all_met, faster_than, slower_than, within


def test_a_ratio_is_of_medians_and_a_goal_is_met_or_missed() -> None:
    ours, theirs = [1.0, 2.0, 9.0], [4.0, 4.0, 8.0]
    met = slower_than("it", ours, "peer", theirs, at_most=0.5)
    assert (met.figure, met.verdict) == ("0.50x (0.25 to 1.12)", "PASS")
    assert slower_than("it", ours, "peer", theirs, at_most=0.49).verdict == "MISS"
    assert faster_than("it", ours, "peer", theirs, at_least=2).verdict == "PASS"
    assert faster_than("it", ours, "peer", theirs, at_least=2.1).verdict == "MISS"
    assert slower_than("it", ours, "peer", theirs).verdict == ""


def test_one_in_twenty_may_be_slower() -> None:
    assert within("it", [0.1] * 96 + [9.0] * 4, at_most=0.15).verdict == "PASS"
    assert within("it", [0.1] * 90 + [9.0] * 10, at_most=0.15).verdict == "MISS"


def test_one_missed_goal_is_enough_and_what_has_none_is_not_judged() -> None:
    told = Measure("told", "1 ms", "", "")
    met = within("met", [0.1, 0.1], at_most=0.15)
    missed = within("missed", [0.2, 0.2], at_most=0.15)
    assert all_met([told, met])
    assert not all_met([told, missed, met])


def test_the_table_is_aligned() -> None:
    lines = report.table([Measure("A", "1 ms", "", "p95 2 ms"), Measure("Longer", "", "x", "")])
    assert len({len(line) for line in lines.splitlines()}) == 1
