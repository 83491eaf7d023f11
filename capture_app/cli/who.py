"""Who runs a command: a user who signs in for it, or the service account of their OS account.

Never an environment variable: anybody can set those. The operating system's own word is taken for
its account (the user id of the process), and an administrator says which account acts as which
service account.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import warnings
from typing import Final

from capture_app.errors import SignInError
from capture_app.model.operator import Act, Operator, Role, may
from capture_app.model.words import tr
from capture_app.security.users import Users

PRACTICE_OPERATOR: Final = Operator(
    "command:practice", "capture-app import", (Role.CAPTURE,), is_service=True
)
"""Who imports into practice: nobody there is anybody."""


def by_option(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """The options of a command that somebody may sign in for. `otherwise`: who it is if not."""
    parser.add_argument(
        "--by", default="", metavar="USER", help=f"who does it and signs in for it ({otherwise})"
    )
    parser.add_argument(
        "--pin-stdin", action="store_true", help="with --by: read the PIN from standard input"
    )


def operator_of(args: argparse.Namespace, users: Users, act: Act) -> Operator | None:
    """Who runs the command; None where that is nobody whom this computer knows.

    Raises SignInError where the PIN is wrong or the roles do not allow the act.
    """
    if args.by:
        operator = users.sign_in(args.by, Pins(from_stdin=args.pin_stdin).known(args.by))
    elif (found := users.service_of(os_account())) is not None:
        operator = found
    else:
        return None
    if not may(operator, act):
        raise SignInError(tr("{user} has no role that allows this.", user=operator.user_id))
    return operator


def os_account() -> str:
    """The account of the operating system that runs this process, as the system itself says."""
    if sys.platform == "win32":
        return os.getlogin()  # asks the system, not the environment
    import pwd  # noqa: PLC0415 - not on Windows

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a number without a name, in a container
        return f"uid{os.geteuid()}"


class Pins:
    """Where the PINs come from: asked for without an echo, or lines of standard input."""

    def __init__(self, *, from_stdin: bool) -> None:
        self._from_stdin = from_stdin

    def known(self, user: str) -> str:
        """A PIN to sign in with. Raises SignInError where there is nobody to ask."""
        return self._line() if self._from_stdin else _asked(tr("PIN of {user}: ", user=user))

    def new(self, user: str) -> str:
        """A PIN to be given; typed twice. Raises SignInError where it is not for the PIN pad."""
        if self._from_stdin:
            pin = self._line()
        else:
            pin = _asked(tr("New PIN of {user}: ", user=user))
            if pin != _asked(tr("Once more: ")):
                raise SignInError(tr("The two PINs are not the same."))
        if not (pin.isdecimal() and pin.isascii()):
            raise SignInError(tr("A PIN here is digits, for the PIN pad."))
        return pin

    @staticmethod
    def _line() -> str:
        line = sys.stdin.readline()
        if not line:
            raise SignInError(tr("Standard input ended before the PIN."))
        return line.rstrip("\r\n")


def _asked(question: str) -> str:
    with warnings.catch_warnings():
        # Where it cannot turn the echo off, getpass warns and shows the PIN.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except (getpass.GetPassWarning, EOFError) as error:
            raise SignInError(
                tr("There is no terminal to ask for the PIN. In a script: --pin-stdin.")
            ) from error
