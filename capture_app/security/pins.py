"""PINs: which are good enough, what a guess costs, and the wait after wrong ones."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from capture_app.errors import SignInError
from capture_app.model.words import tr, trn
from capture_app.store.cipher import Cipher

PIN_SHORTEST: Final = 6
PIN_SHORTEST_EVER: Final = 4
"""What earlier versions took. Such a PIN opens nothing but the way to a new one."""
PIN_LONGEST: Final = 64
FREE_FAILURES: Final = 3
"""Wrong PINs before the first wait."""
FIRST_DELAY_S: Final = 15.0
LONGEST_DELAY_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class PinCost:
    """What one guess at a PIN costs: Argon2id (RFC 9106, the second recommended choice). About
    0.2 s on a small computer.
    """

    memory_kib: int = 65_536
    passes: int = 3

    @property
    def work(self) -> int:
        """Of two costs the one with the higher number is dearer."""
        return self.memory_kib * self.passes


@dataclass(frozen=True, slots=True)
class PinHash:
    """What is kept of a PIN."""

    salt: bytes
    cost: PinCost
    digest: bytes
    is_bound: bool = True
    """Whether the user id went into it: then it opens in no other user's row. False for those that
    earlier versions made.
    """


class PinHasher:
    """Derives and compares hashes. The pepper makes them useless to who has the file but no key."""

    def __init__(self, cipher: Cipher, cost: PinCost) -> None:
        self._pepper = cipher.subkey(b"capture-app pin 1", b"")
        self._cost = cost

    def make(self, user_id: str, pin: str) -> PinHash:
        """The hash of a new PIN, under a salt of its own."""
        salt = os.urandom(16)
        return PinHash(salt, self._cost, self._derive(user_id, pin, salt, self._cost))

    def fits(self, user_id: str, pin: str, kept: PinHash | None) -> bool:
        """Whether it is the PIN. Takes as long where there is none: nobody learns who exists."""
        if kept is None:
            self._derive(user_id, pin, bytes(16), self._cost)
            return False
        bound_to = user_id if kept.is_bound else None
        return hmac.compare_digest(self._derive(bound_to, pin, kept.salt, kept.cost), kept.digest)

    def is_dated(self, kept: PinHash) -> bool:
        """Whether it was made cheaper than today, or without the user id."""
        return not kept.is_bound or kept.cost.work < self._cost.work

    def _derive(self, user_id: str | None, pin: str, salt: bytes, cost: PinCost) -> bytes:
        return Argon2id(
            salt=salt,
            length=32,
            iterations=cost.passes,
            lanes=1,
            memory_cost=cost.memory_kib,
            ad=None if user_id is None else user_id.encode(),
            secret=self._pepper,
        ).derive(pin[:PIN_LONGEST].encode())


def require_good_pin(pin: str) -> None:
    """Raises SignInError for a new PIN that is too short, too long, or a run."""
    if not PIN_SHORTEST <= len(pin) <= PIN_LONGEST:
        raise SignInError(
            tr(
                "A PIN has {shortest} to {longest} characters.",
                shortest=PIN_SHORTEST,
                longest=PIN_LONGEST,
            )
        )
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise SignInError(tr("This PIN is too easy to guess: no run like 123456, no 000000."))


def require_new_pin(old: str, new: str) -> None:
    """Raises SignInError where a PIN that its owner chose is not good, or the old one."""
    require_good_pin(new)
    if new == old:
        raise SignInError(tr("The new PIN is the old one."))


# ----------------------------------------------------------------------------------------- waiting


@dataclass(frozen=True, slots=True)
class Wait:
    """Wrong PINs in a row, and the wait that they cost.

    Kept are the seconds that were left at a moment of the computer's own clock, which goes on in
    sleep and is alike in every process. No wall clock is in it: putting one forward or back changes
    nothing. After a new start of the computer the wait goes on with the seconds that were left.
    """

    failures: int = 0
    left_s: float = 0.0
    as_of: float = 0.0
    """The moment, in seconds of `Clock.monotonic`."""

    def left(self, now: float) -> float:
        """The seconds that are left; 0 where there is no wait."""
        # Below the moment: the computer was started anew, and has been on for as long as it says.
        passed = now - self.as_of if now >= self.as_of else max(0.0, now)
        return max(0.0, self.left_s - passed)

    def going_on(self, now: float) -> Wait:
        """The same wait as it stands now: what a later start of the computer goes on with."""
        return Wait(self.failures, self.left(now), now)

    def after_failure(self, now: float) -> Wait:
        """One more wrong PIN."""
        failures = self.failures + 1
        return Wait(failures, delay_after(failures), now)


def delay_after(failures: int) -> float:
    """How many seconds that many wrong PINs in a row cost: 15, doubling up to 900."""
    if failures < FREE_FAILURES:
        return 0.0
    doublings = min(failures - FREE_FAILURES, 16)
    return min(FIRST_DELAY_S * float(2**doublings), LONGEST_DELAY_S)


def wrong_pin() -> SignInError:
    """The same words whatever was wrong of user and PIN."""
    return SignInError(tr("User or PIN is wrong."))


def must_wait(seconds: float) -> SignInError:
    """How long."""
    whole = max(1, -(-int(seconds * 1000) // 1000))
    return SignInError(
        tr("Too many wrong PINs.")
        + " "
        + trn("Try again in {n} second.", "Try again in {n} seconds.", whole)
    )
