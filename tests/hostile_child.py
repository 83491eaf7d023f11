"""A child that does what no child may: started by the tests in the place of the application's."""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from capture_app.clock import SystemClock
from capture_app.errors import TaskRefusedError
from capture_app.sandbox.control import Channel
from capture_app.sandbox.inside import serve
from capture_app.sandbox.memory import mapped
from capture_app.sandbox.task import Block, Call, ChildAnswer, Work

CLOCK = SystemClock()
HEADER = struct.Struct("<8sHH16s4s4IQQ")


# ------------------------------------------------------------------- works that misbehave


def echo(call: Call) -> Iterator[ChildAnswer]:
    data = bytes(call.data)
    yield ChildAnswer({**call.question, "pid": os.getpid()}, (Block.of_bytes("bytes", data),))


def hog(_call: Call) -> Iterator[ChildAnswer]:
    held = []
    while True:
        held.append(bytearray(16 << 20))
    yield ChildAnswer()


def hog_in_c(_call: Call) -> Iterator[ChildAnswer]:
    """As a decoder does that does not look at what malloc gave it."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    while True:
        ctypes.memset(libc.malloc(64 << 20), 1, 64 << 20)
    yield ChildAnswer()


def spin(_call: Call) -> Iterator[ChildAnswer]:
    while True:
        pass
    yield ChildAnswer()


def spin_with_the_lock(_call: Call) -> Iterator[ChildAnswer]:
    """As a library does that never gives Python back: not even a heartbeat."""
    ctypes.PyDLL(None).pause()
    yield ChildAnswer()


def answer_and_hold(_call: Call) -> Iterator[ChildAnswer]:
    yield ChildAnswer()
    ctypes.PyDLL(None).pause()


def answer_and_spin(_call: Call) -> Iterator[ChildAnswer]:
    yield ChildAnswer()
    while True:
        pass


def crash(_call: Call) -> Iterator[ChildAnswer]:
    ctypes.string_at(0)
    yield ChildAnswer()


def abort(_call: Call) -> Iterator[ChildAnswer]:
    os.abort()
    yield ChildAnswer()


def leave(_call: Call) -> Iterator[ChildAnswer]:
    os._exit(0)
    yield ChildAnswer()


def fail(_call: Call) -> Iterator[ChildAnswer]:
    secret = "Jane Doe"
    message = f"the header of {secret} is wrong"
    raise LookupError(message)
    yield ChildAnswer()


def refuse(call: Call) -> Iterator[ChildAnswer]:
    raise TaskRefusedError(str(call.question["code"]))
    yield ChildAnswer()


def say_twice(_call: Call) -> Iterator[ChildAnswer]:
    yield ChildAnswer()
    yield ChildAnswer()


def say_nothing(_call: Call) -> Iterator[ChildAnswer]:
    yield from ()


def count(call: Call) -> Iterator[ChildAnswer]:
    """A camera's kind of work: on and on, until nobody wants more."""
    notes: list[object] = []
    call.listen(lambda note: notes.append(note.get("say")))
    number, pause = 0, threading.Event()
    while True:
        number += 1
        yield ChildAnswer(
            {"number": number, "notes": notes}, (Block.of_bytes("bytes", b"%d" % number),)
        )
        pause.wait(0.005)


def count_and_never_stop(_call: Call) -> Iterator[ChildAnswer]:
    yield ChildAnswer()
    threading.Event().wait()
    yield ChildAnswer()


def attempt(call: Call) -> Iterator[ChildAnswer]:
    """Tries ways out, each with its argument; tells what came of each: an errno, or text."""
    ways: dict[str, Callable[[str], object]] = {
        "fork": lambda _: _libc("fork"),
        "run": lambda path: subprocess.run([path], check=True),
        "write": lambda path: Path(path).write_bytes(b"x"),
        "overwrite": lambda path: os.write(os.open(path, os.O_WRONLY), b"x"),
        "read": lambda path: Path(path).read_bytes(),
        "list": os.listdir,
        "remove": os.remove,
        "link": lambda path: os.link(path, path + "2"),
        "chmod": lambda path: Path(path).chmod(0o700),
        "connect": lambda port: socket.create_connection(("127.0.0.1", int(port)), 5),
        "unix": lambda _: socket.socket(socket.AF_UNIX),
        "kill": lambda _: os.kill(os.getppid(), 0),
        "kill-thread": lambda _: _libc("syscall", 234, os.getppid(), os.getppid(), 0),
        "own-a-pipe": lambda _: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
        "sign-a-pipe": lambda _: fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL),
        "own-a-device": lambda _: fcntl.ioctl(0, 0x8901, struct.pack("i", os.getppid())),
        "slow-the-parent": lambda _: os.sched_setaffinity(os.getppid(), {0}),
        "signal-itself": lambda _: signal.pthread_kill(threading.get_ident(), 0),
        "truncate": lambda path: os.truncate(path, 0),
        "rename": lambda path: Path(path).rename(path + "3"),
        "point": lambda path: Path(path + "4").symlink_to(path),
        "fold": lambda path: Path(path + "5").mkdir(),
        "queue": lambda path: os.mkfifo(path + "6"),
        "fast-open": lambda port: socket.socket().sendto(b"x", 1 << 29, ("127.0.0.1", int(port))),
        "serve": lambda port: socket.socket().bind(("127.0.0.1", int(port))),
        "inet6": lambda _: socket.socket(socket.AF_INET6),
        "netlink": lambda _: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "udp": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "raw": lambda _: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
        "trace": lambda _: _libc("ptrace", 16, os.getppid(), 0, 0),
        "limits": lambda _: _libc("setrlimit", 1, (ctypes.c_ulong * 2)(9, 9)),
        "memfd": lambda _: os.memfd_create("more"),
        "shrink": lambda number: os.ftruncate(int(number), 1),
        "namespace": lambda _: _libc("unshare", 0x1000_0000),
        "thread": lambda _: _thread(),
        "import": lambda name: __import__(name).__name__,
        "environment": lambda _: " ".join(sorted(os.environ)),
        "descriptors": lambda _: len(list(_open_descriptors())),
    }
    came: list[object] = []
    for way, argument in call.question["ways"]:
        try:
            came.append(str(ways[way](argument)))
        except OSError as error:
            came.append(error.errno)
    yield ChildAnswer({"came": came})


def _libc(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def _thread() -> str:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return "ran"


def _open_descriptors() -> Iterator[int]:
    for number in range(64):
        try:
            os.fstat(number)
        except OSError:
            continue
        yield number


WORKS: dict[str, Work] = {
    work.__name__: work
    for work in (
        *(
            echo,
            hog,
            hog_in_c,
            spin,
            spin_with_the_lock,
            answer_and_hold,
            answer_and_spin,
            abort,
            crash,
            leave,
            fail,
            refuse,
            say_twice,
        ),
        *(say_nothing, count, count_and_never_stop, attempt),
    )
}


# --------------------------------------------------------------- children of another kind


class Liar:
    """Says what it likes over the pipe."""

    def __init__(self) -> None:
        self.channel = Channel(0, 1, CLOCK)
        self.begin = self.channel.receive() or {}
        self.channel.send({"ready": {"landlock": 0, "seccomp": False}})
        self.back = mapped(self.begin["back"], 4096)
        self.channel.receive()
        self.channel.send({"taken": 1})

    def tell(self, name: str) -> None:
        getattr(self, name.replace("-", "_"))()
        threading.Event().wait()

    def garbage(self) -> None:
        os.write(1, os.urandom(64))

    def too_long(self) -> None:
        os.write(1, struct.pack(">I", 0xFFFF_FFFF) + b"{" * 4096)

    def not_json(self) -> None:
        os.write(1, struct.pack(">I", 5) + b"{oops")

    def not_an_object(self) -> None:
        os.write(1, struct.pack(">I", 4) + b"[42]")

    def deep(self) -> None:
        os.write(1, struct.pack(">I", 30_000) + b"[" * 30_000)

    def other_words(self) -> None:
        self.channel.send({"hello": 1})

    def half_a_message(self) -> None:
        os.write(1, struct.pack(">I", 100) + b"{")

    def drip(self) -> None:
        pause = threading.Event()
        for byte in struct.pack(">I", 30_000) + b" " * 30_000:
            os.write(1, bytes([byte]))
            pause.wait(0.01)

    def beats_alone(self) -> None:
        pause = threading.Event()
        while True:
            self.channel.send({"beat": 1})
            pause.wait(0.05)

    def wrong_slot(self) -> None:
        self.channel.send({"answer": {}, "slot": 99, "blocks": 0})

    def negative_slot(self) -> None:
        self.channel.send({"answer": {}, "slot": -1, "blocks": 0})

    def many_blocks(self) -> None:
        self.channel.send({"answer": {}, "slot": 0, "blocks": 1 << 40})

    def facts_of_another_kind(self) -> None:
        self.channel.send({"answer": [], "slot": 0, "blocks": 0})

    def unknown_end(self) -> None:
        self.channel.send({"end": ["done"]})

    def code_with_a_name(self) -> None:
        self.channel.send({"end": "refused", "code": "Jane Doe"})

    def frames_with_a_name(self) -> None:
        frames = ["Jane^Doe", "tests/x.py:1 ok", 7, {}]
        self.channel.send({"end": "failed", "error_type": "X", "frames": frames})

    def closes(self) -> None:
        os.close(1)

    def _header(self, **other: object) -> None:
        said: dict[str, object] = {"magic": b"CAPBLOCK", "version": 1, "dimensions": 1}
        said |= {"name": b"bytes", "dtype": b"u1", "shape": (4, 0, 0, 0), "at": 256, "length": 4}
        said |= other
        names = ("magic", "version", "dimensions", "name", "dtype")
        shape = said["shape"]
        assert isinstance(shape, tuple)
        HEADER.pack_into(
            self.back, 0, *(said[name] for name in names), *shape, said["at"], said["length"]
        )
        self.channel.send({"answer": {}, "slot": 0, "blocks": 1})

    def header_of_zeros(self) -> None:
        self.channel.send({"answer": {}, "slot": 0, "blocks": 1})

    def header_of_another_magic(self) -> None:
        self._header(magic=b"CAPBLOCX")

    def header_of_another_version(self) -> None:
        self._header(version=2)

    def header_too_long(self) -> None:
        self._header(length=1 << 40, shape=(0xFFFF_FFFF, 0, 0, 0))

    def header_longer_than_its_rule(self) -> None:
        self._header(length=(1 << 20) + 1, shape=((1 << 20) + 1, 0, 0, 0))

    def header_beyond_the_slot(self) -> None:
        self._header(at=(1 << 63) - 2)

    def header_over_the_headers(self) -> None:
        self._header(at=0)

    def header_of_another_shape(self) -> None:
        self._header(shape=(5, 0, 0, 0))

    def header_of_an_overflow(self) -> None:
        self._header(dimensions=4, shape=(1 << 31, 1 << 31, 1 << 31, 1 << 31), length=0)

    def header_of_many_dimensions(self) -> None:
        self._header(dimensions=60_000)

    def header_of_another_type(self) -> None:
        self._header(dtype=b"O8")

    def header_of_another_name(self) -> None:
        self._header(name=b"secret")


LIES = [
    name.replace("_", "-")
    for name, thing in vars(Liar).items()
    if callable(thing) and not name.startswith("_") and name != "tell"
]


def main() -> int:
    if len(sys.argv) > 1 and sys.argv[1] == "ignores-its-parent":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    elif len(sys.argv) > 1:
        Liar().tell(sys.argv[1])
    return serve({name: lambda work=work: work for name, work in WORKS.items()}, CLOCK)  # type: ignore[misc]


if __name__ == "__main__":
    sys.exit(main())
