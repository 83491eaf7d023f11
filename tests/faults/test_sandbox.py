"""Children that hog, spin, crash, lie and try to get out: each costs one question, and no more."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from errno import EACCES, EAFNOSUPPORT, EBADF, EINVAL, EPERM
from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.errors import ChildEndedError, TaskRefusedError
from capture_app.sandbox import process
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import BlockRule, ChildEnd, ChildTask
from capture_app.sandbox.walls import walls_here
from tests.faults.small_disk import small_disk
from tests.hostile_child import LIES
from tests.waiting import Eventually

CLOCK = SystemClock()
MB = 1 << 20
HOSTILE = [sys.executable, "-P", "-m", "tests.hostile_child"]
WITHIN_S = 60.0
"""Patience: where a deadline is not the outcome."""
WAYS_TO_CHANGE = [
    "write",
    "chmod",
    "truncate",
    "remove",
    "rename",
    "link",
    "point",
    "fold",
    "queue",
]
WAYS_TO_KILL = ["kill", "kill-thread", "own-a-pipe", "sign-a-pipe", "own-a-device"]
WAYS_TO_KILL += ["slow-the-parent"]
needs_walls = pytest.mark.skipif(
    not walls_here().are_whole, reason="this kernel has no Landlock or no seccomp"
)
Opened = Callable[..., Child]


SILENCE_S = process.SILENCE_S
PORTS_SINCE = 4
"""The version of Landlock that knows of ports."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Opens hostile children. No busy machine makes one silent, or late to stop: where that is the
    outcome, the test says so.
    """
    monkeypatch.setattr(process, "SILENCE_S", 30.0)
    monkeypatch.setattr(process, "STOPPED_WITHIN_S", 30.0)
    children: list[Child] = []

    def open_child(work: str, *arguments: str, slots: int = 1, port: int | None = None) -> Child:
        blocks = (BlockRule("bytes", MB),)
        task = ChildTask(work, 200 * MB, 2 * MB, blocks, slots=slots, port=port)
        children.append(Child(task, CLOCK, command=[*HOSTILE, *arguments]))
        return children[-1]

    yield open_child
    for child in children:
        child.close()


def end_of(child: Child, within: float = WITHIN_S) -> ChildEnd:
    with pytest.raises(ChildEndedError) as caught:
        child.ask({}, within=within)
    assert str(caught.value)
    return ChildEnd(caught.value.why)


def has_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


# ------------------------------------------------------------------------------- a good child


def test_bytes_go_in_and_come_back_and_the_child_is_kept(opened: Opened) -> None:
    child = opened("echo")
    pids = set()
    for data in (b"x", bytes(range(256)) * 4096, b"short again"):
        answer = child.ask({"of": "mine"}, data, within=WITHIN_S)
        block = answer.block("bytes")
        assert block is not None
        assert bytes(block.data) == data
        assert answer.facts["of"] == "mine"
        pids.add(answer.facts["pid"])
    assert len(pids) == 1


def test_more_than_the_task_takes_is_not_even_sent(opened: Opened) -> None:
    child = opened("echo")
    with pytest.raises(ValueError, match="takes"):
        child.ask({}, bytes(2 * MB + 1), within=WITHIN_S)
    assert child.ask({}, b"after", within=WITHIN_S).block("bytes") is not None


def test_what_a_child_answered_cannot_be_changed_by_the_next_answer(opened: Opened) -> None:
    child = opened("echo")
    first = child.ask({}, b"first", within=WITHIN_S).block("bytes")
    child.ask({}, b"later", within=WITHIN_S)
    assert first is not None
    assert bytes(first.data) == b"first"


def test_one_that_died_while_idle_costs_no_question(opened: Opened) -> None:
    child = opened("echo")
    pid = child.ask({}, b"x", within=WITHIN_S).facts["pid"]
    os.kill(pid, 9)
    assert child.ask({}, b"x", within=WITHIN_S).facts["pid"] != pid


def test_after_many_questions_a_new_child_takes_over(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.sandbox.child._MOST_QUESTIONS", 2)
    child = opened("echo")
    pids = [child.ask({}, b"x", within=WITHIN_S).facts["pid"] for _ in range(3)]
    assert pids[0] == pids[1] != pids[2]
    assert has_gone(pids[0])


def test_a_refusal_is_an_answer_and_the_child_goes_on(opened: Opened) -> None:
    child = opened("refuse")
    child.warm()
    for code in ("damaged", "too-many-pixels"):
        with pytest.raises(TaskRefusedError) as caught:
            child.ask({"code": code}, within=WITHIN_S)
        assert caught.value.code == code


# ------------------------------------------------------------------------------ misbehaviour


@pytest.mark.expects_log("child-ended")
@pytest.mark.parametrize(
    ("work", "ends"),
    [
        ("hog", {ChildEnd.MEMORY}),
        ("hog_in_c", {ChildEnd.CRASHED}),
        ("crash", {ChildEnd.CRASHED}),
        ("leave", {ChildEnd.CRASHED}),
        ("fail", {ChildEnd.FAILED}),
        ("say_twice", {ChildEnd.FAILED}),
        ("say_nothing", {ChildEnd.PROTOCOL}),
    ],
)
def test_its_death_is_a_value_of_one_question(
    opened: Opened, work: str, ends: set[ChildEnd]
) -> None:
    child = opened(work)
    assert end_of(child) in ends
    assert end_of(child) in ends, "it was begun anew for the next question"


@pytest.mark.expects_log("child-ended")
def test_two_answers_to_one_question_are_none(opened: Opened) -> None:
    assert end_of(opened("say_twice", slots=3)) is ChildEnd.PROTOCOL


@pytest.mark.expects_log("child-ended", "'reason': 'time'")
def test_what_is_late_is_killed(opened: Opened) -> None:
    child = opened("spin")
    child.warm()
    began = CLOCK.monotonic()
    assert end_of(child, within=0.3) is ChildEnd.TIME
    assert CLOCK.monotonic() - began < 0.3 + 1.0


@pytest.mark.expects_log("child-ended", "'reason': 'silent'")
def test_a_stopped_child_is_noticed_and_killed(
    opened: Opened, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SILENCE_S", SILENCE_S)
    child = opened("count", slots=3)
    answers = child.answers({})
    next(answers)
    assert child._process is not None
    pid = child._process.pid
    os.kill(pid, 19)
    began = CLOCK.monotonic()
    with pytest.raises(ChildEndedError):
        list(answers)
    assert CLOCK.monotonic() - began < 2.0
    eventually(lambda: has_gone(pid))


@pytest.mark.expects_log("child-ended", "'reason': 'silent'")
def test_one_that_gives_no_sign_of_life_is_killed(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = opened("spin_with_the_lock")
    child.warm()
    monkeypatch.setattr(process, "SILENCE_S", SILENCE_S)
    began = CLOCK.monotonic()
    assert end_of(child) is ChildEnd.SILENT
    assert CLOCK.monotonic() - began < SILENCE_S + 1.0


@pytest.mark.expects_log("child-ended", "'reason': 'failed'", "LookupError")
def test_an_unforeseen_error_is_told_without_its_text(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ChildEndedError) as caught:
        opened("fail").ask({}, within=WITHIN_S)
    assert "Jane" not in caplog.text + str(caught.value)


@pytest.mark.expects_log("child-ended")
@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "closes"])
def test_a_lie_is_believed_by_nobody(opened: Opened, lie: str) -> None:
    child = opened("echo", lie)
    child.warm()
    began = CLOCK.monotonic()
    end = end_of(child, within=1.5)
    never_whole = {"half-a-message", "drip", "beats-alone"}
    # One that is believed ends, too: of its time, for there is nothing behind it.
    assert (end in {ChildEnd.SILENT, ChildEnd.TIME}) == (lie in never_whole), end
    assert CLOCK.monotonic() - began < 1.5 + 1.0


@pytest.mark.expects_log("child-ended", "'reason': 'crashed'")
def test_one_that_closes_its_pipe_and_stays_is_killed(opened: Opened) -> None:
    child = opened("echo", "closes")
    child.warm()
    began = CLOCK.monotonic()
    assert end_of(child) is ChildEnd.CRASHED
    assert CLOCK.monotonic() - began < 3.0


@pytest.mark.expects_log("child-ended", "'reason': 'not-started'")
def test_one_that_cannot_be_started_is_not_tried_again_and_again() -> None:
    child = Child(
        ChildTask("echo", MB, MB), CLOCK, command=[sys.executable, "-c", "raise SystemExit(3)"]
    )
    for _ in range(3):
        assert end_of(child) is ChildEnd.NOT_STARTED
    began = CLOCK.monotonic()
    assert end_of(child) is ChildEnd.NOT_STARTED
    assert CLOCK.monotonic() - began < 0.01, "nothing was started"
    child.close()


@pytest.mark.expects_log("child-ended", "'reason': 'not-started'")
def test_a_program_that_is_not_there_is_told() -> None:
    child = Child(ChildTask("echo", MB, MB), CLOCK, command=["/nowhere/capture-app", "_child"])
    assert end_of(child) is ChildEnd.NOT_STARTED
    child.close()


@pytest.mark.expects_log("child-ended", "'reason': 'not-started'")
def test_where_no_memory_can_be_shared_that_is_told(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with small_disk("file-size-limit", tmp_path, MB):
        child = Child(ChildTask("echo", MB, 2 * MB), CLOCK, command=HOSTILE)
        assert end_of(child) is ChildEnd.NOT_STARTED
        child.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# ------------------------------------------------------------------------------------- streams


def test_a_stream_is_in_order_hears_notes_and_ends_when_nobody_wants_more(opened: Opened) -> None:
    child = opened("count", slots=3)
    numbers, pids = [], set()
    for _ in range(2):
        answers = child.answers({})
        for answer in answers:
            block = answer.block("bytes")
            assert block is not None
            assert int(bytes(block.data)) == answer.facts["number"]
            numbers.append(answer.facts["number"])
            if len(numbers) % 10 == 5:
                child.note({"say": "renew"})
            if "renew" in answer.facts["notes"]:
                break
        answers.close()
        assert child._process is not None
        pids.add(child._process.pid)
    assert numbers == sorted(numbers[: numbers.index(1, 1)]) + numbers[numbers.index(1, 1) :]
    assert len(pids) == 1, "the child stayed warm"


def test_one_that_does_not_stop_is_ended(
    opened: Opened, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOPPED_WITHIN_S", 0.8)
    child = opened("count_and_never_stop", slots=2)
    answers = child.answers({})
    next(answers)
    assert child._process is not None
    pid = child._process.pid
    began = CLOCK.monotonic()
    answers.close()
    assert CLOCK.monotonic() - began < 2.0
    eventually(lambda: has_gone(pid))


def test_nobody_who_takes_slowly_gets_a_torn_answer(opened: Opened) -> None:
    child = opened("count", slots=2)
    answers = child.answers({})
    seen = 0
    for answer in answers:
        block = answer.block("bytes")
        assert block is not None
        assert int(bytes(block.data)) == answer.facts["number"], "another answer's bytes"
        if answer.facts["number"] > seen + 2:
            break  # some were dropped, none mixed
        seen = answer.facts["number"]
        CLOCK.monotonic()
        _busy(0.03)
    answers.close()


def _busy(seconds: float) -> None:
    until = CLOCK.monotonic() + seconds
    while CLOCK.monotonic() < until:
        continue


# --------------------------------------------------------------------------------- ways out


@pytest.fixture
def attempt(opened: Opened) -> Callable[..., list[object]]:
    """Tries ways out, each an act and what it is done to, in one child."""

    def try_out(*ways: tuple[str, object], port: int | None = None) -> list[object]:
        child = opened("attempt", port=port)
        question = {"ways": [(way, str(argument)) for way, argument in ways]}
        came = child.ask(question, within=WITHIN_S).facts["came"]
        assert isinstance(came, list)
        return came

    return try_out


@needs_walls
def test_there_is_no_way_out(attempt: Callable[..., list[object]]) -> None:
    ways = ["fork", "unix", "trace", "limits", "memfd", "namespace", *WAYS_TO_KILL]
    came = attempt(*[(way, "") for way in ways], ("run", "/bin/true"))
    assert came == [EPERM] * len(came)


@needs_walls
def test_no_file_of_anybody_is_reached(
    attempt: Callable[..., list[object]], tmp_path: Path
) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"pixels")
    files = ["/etc/passwd", picture, "/proc/self/mem", f"/proc/{os.getpid()}/environ", "/dev/null"]
    tried = [("read", file) for file in files] + [("overwrite", file) for file in files]
    tried += [("list", tmp_path), ("list", "/proc")]
    came = attempt(*tried)
    assert came == [EACCES] * len(came), list(zip(tried, came, strict=True))
    came = attempt(*[(way, picture) for way in WAYS_TO_CHANGE])
    assert came == [EPERM] * len(came)
    assert picture.read_bytes() == b"pixels"
    assert attempt(("signal-itself", "")) == ["None"], "as abort does"


_WITHOUT_LANDLOCK = """
import json, sys
from capture_app.sandbox import seccomp
from capture_app.sandbox.task import Call
from tests.hostile_child import attempt
assert seccomp.restrict(connects=True)
(answer,) = attempt(Call({"ways": json.loads(sys.argv[1])}, memoryview(b"")))
print(json.dumps(answer.facts["came"]))
"""


@needs_walls
def test_where_landlock_is_old_or_missing_no_file_is_lost_and_no_process_ended(
    tmp_path: Path,
) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"pixels")
    ways = [(way, str(picture)) for way in (*WAYS_TO_CHANGE, *WAYS_TO_KILL)]
    argv = [sys.executable, "-c", _WITHOUT_LANDLOCK, json.dumps(ways)]
    done = subprocess.run(argv, capture_output=True, check=True, timeout=WITHIN_S)
    assert json.loads(done.stdout) == [EPERM] * len(ways)
    assert picture.read_bytes() == b"pixels"


@needs_walls
def test_only_a_camera_reaches_the_network_and_of_it_its_relay(
    attempt: Callable[..., list[object]],
) -> None:
    host = "127.0.0.1"
    with socket.create_server((host, 0)) as relay, socket.create_server((host, 0)) as other:
        port, elsewhere = relay.getsockname()[1], other.getsockname()[1]
        assert attempt(("connect", port)) == [EPERM]
        ways = [("connect", port), ("connect", elsewhere), ("fast-open", port), ("serve", 0)]
        kinds = [("unix", ""), ("inet6", ""), ("netlink", ""), ("udp", ""), ("raw", "")]
        came, *others = attempt(*ways, *kinds, port=port)
    assert "socket" in str(came)
    refused = EACCES if walls_here().landlock >= PORTS_SINCE else EINVAL
    assert others == [
        *(refused, EPERM, EPERM),
        *(EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT),  # no bus, no screen, no key store
        *(EPERM, EPERM),
    ]


@needs_walls
def test_a_camera_of_this_computer_reaches_its_device_alone(opened: Opened) -> None:
    task = ChildTask("attempt", 200 * MB, MB, devices=("/dev/null",))
    child = Child(task, CLOCK, command=HOSTILE)
    ways = [("overwrite", "/dev/null"), ("read", "/dev/null"), ("overwrite", "/dev/zero")]
    came = child.ask({"ways": ways}, within=WITHIN_S).facts["came"]
    child.close()
    assert came == ["1", "b''", EACCES]


def test_shared_memory_is_as_large_as_the_parent_made_it(
    attempt: Callable[..., list[object]],
) -> None:
    came = attempt(*[("shrink", number) for number in range(3, 12)])
    assert EPERM in came
    assert set(came) <= {EPERM, EBADF, EINVAL}, "a pipe, nothing, or memory that is sealed"


def test_decoders_may_have_threads_and_late_modules(attempt: Callable[..., list[object]]) -> None:
    assert attempt(("thread", ""), ("import", "sqlite3")) == ["ran", "sqlite3"]


@pytest.mark.expects_log("child-ended", "'reason': 'crashed'")
def test_a_library_may_abort(opened: Opened) -> None:
    assert end_of(opened("abort")) is ChildEnd.CRASHED


def test_a_child_that_turns_to_another_task_gets_other_walls(opened: Opened) -> None:
    child = opened("echo")
    pid = child.ask({}, b"x", within=WITHIN_S).facts["pid"]
    child.turn_to(child.task)
    assert child.ask({}, b"x", within=WITHIN_S).facts["pid"] == pid
    child.turn_to(replace(child.task, port=1))
    assert child.ask({}, b"x", within=WITHIN_S).facts["pid"] != pid
    assert has_gone(pid)


def test_it_is_given_no_environment_and_no_file_of_ours(
    attempt: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAPTURE_APP_DATA", str(tmp_path))
    (usual,) = attempt(("descriptors", ""))
    descriptor = os.open(tmp_path / "outbox.db", os.O_RDONLY | os.O_CREAT)
    os.set_inheritable(descriptor, True)
    try:
        environment, count = attempt(("environment", ""), ("descriptors", ""))
    finally:
        os.close(descriptor)
    assert count == usual
    assert not {"CAPTURE_APP_DATA", "HOME", "XDG_DATA_HOME"} & set(str(environment).split())


_PARENT = """
import sys
from capture_app.clock import SystemClock
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import ChildTask
task = ChildTask(sys.argv[1], 200 << 20, 1 << 20, slots=2)
child = Child(task, SystemClock(), command=[sys.executable, "-P", "-m", "tests.hostile_child"])
answers = child.answers({})
next(answers)
print(child._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("work", ["answer_and_spin", "answer_and_hold"])
def test_a_child_ends_with_its_parent_whatever_it_does(work: str, eventually: Eventually) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _PARENT, work]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = next(int(line) for line in parent.stdout if line.strip().isdigit())
        assert not has_gone(pid)
        parent.kill()
    eventually(lambda: has_gone(pid), timeout=5)
