"""capture-app users list|add|reset-pin|remove: who may sign in on this computer. Staff only.

An administrator signs in for every change; `add --first` makes the first one where there is no
window to do it. A PIN is asked for unseen, or read from standard input. It is never an argument:
those are seen by everybody on the computer.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import warnings
from typing import Final

from capture_app.bootstrap import open_data_folder
from capture_app.cli.main import EXIT_DONE
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, start
from capture_app.errors import SettingsError, SettingsFault, SignInError
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr
from capture_app.security.users import Users

_HEAD: Final = ("user", "name", "role", "operator")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        choices=["list", "add", "reset-pin", "remove"],
        help="list: who may sign in; add: one more; reset-pin: a new PIN; remove: no longer",
    )
    parser.add_argument("user", nargs="?", default="", metavar="USER", help="the user's id")
    parser.add_argument("--by", default="", metavar="USER", help="the administrator who does it")
    parser.add_argument("--family", default="", metavar="NAME", help="add: for the images")
    parser.add_argument("--given", default="", metavar="NAME", help="add: for the images")
    parser.add_argument(
        "--role", choices=[str(role) for role in Role], help="add: what they may do (capture)"
    )
    parser.add_argument(
        "--first",
        action="store_true",
        help="add: the administrator of a computer that has no user yet; instead of --by",
    )
    parser.add_argument(
        "--pin-stdin",
        action="store_true",
        help="read lines of standard input: the administrator's PIN (not with --first), then the "
        "user's new one; without it they are asked for",
    )
    parser.epilog = "A PIN is never an argument: those are seen by everybody on the computer."
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0; 1 for a wrong PIN, or where the change is refused; 2 for options that do not fit."""
    _require_fitting(args)
    settings = start(args, "users")
    with open_data_folder(settings, CLOCK) as folder:
        if args.act == "list":
            _list(folder.users.list(), as_json=args.json)
            return EXIT_DONE
        said = _change(args, folder.users)
    if args.json:
        print_json({"act": args.act, "user": args.user.strip().casefold()})
    else:
        sys.stdout.write(said + "\n")
    return EXIT_DONE


def _require_fitting(args: argparse.Namespace) -> None:
    """Raises SettingsError with all that is wrong with the options of this act."""
    faults: list[SettingsFault] = []

    def expect(option: str, given: object, *, wanted: bool, allowed: str) -> None:
        if bool(given) == wanted:
            return
        problem = tr("It is missing.") if wanted else tr("It has no meaning here.")
        allowed = allowed if wanted else tr("nothing: leave it out")
        faults.append(SettingsFault(f"users {args.act}", option, problem, allowed))

    adds, changes = args.act == "add", args.act != "list"
    expect("USER", args.user, wanted=changes, allowed=tr("a user's id"))
    by_whom = tr("an administrator's id")
    if adds and not args.by:
        by_whom = tr("an administrator's id, or --first instead")
    expect("--by", args.by, wanted=changes and not (adds and args.first), allowed=by_whom)
    for option, name in (("--family", args.family), ("--given", args.given)):
        expect(option, name.strip(), wanted=adds, allowed=tr("a name"))
    for option, given, fits in (
        ("--role", args.role, adds and (not args.first or args.role == Role.ADMIN)),
        ("--first", args.first, adds),
        ("--pin-stdin", args.pin_stdin, changes),
    ):
        expect(option, given and not fits, wanted=False, allowed="")
    if faults:
        raise SettingsError(tuple(faults))


def _change(args: argparse.Namespace, users: Users) -> str:
    """Does it, and says in words what was done. Raises SignInError."""
    pins = _Pins(from_stdin=args.pin_stdin)
    if args.first:
        if users.has_any():
            raise SignInError(
                tr("This computer has its users: an administrator adds more, see --by.")
            )
        return _add(args, users, None, pins)
    if not users.has_any():
        raise SignInError(
            tr(
                "This computer has no user yet. The window makes the first one at its first "
                "start, or 'users add' with --first instead of --by."
            )
        )
    by = users.sign_in(args.by, pins.known(args.by))
    if by.role is not Role.ADMIN:  # said before a new PIN is asked for; the room looks by itself
        raise SignInError(tr("Only an administrator can do this."))
    if args.act == "add":
        return _add(args, users, by, pins)
    if args.act == "reset-pin":
        users.reset_pin(args.user, pins.new(args.user), by)
        return tr("{user} has a new PIN.", user=args.user)
    users.remove(args.user, by)
    return tr("{user} cannot sign in any more.", user=args.user)


def _add(args: argparse.Namespace, users: Users, by: Operator | None, pins: _Pins) -> str:
    given, family = args.given.strip(), args.family.strip()
    role = Role(args.role or Role.CAPTURE) if by else Role.ADMIN
    added = users.add(
        args.user,
        f"{given} {family}",
        role,
        pins.new(args.user),
        by,
        name=PersonName(NameGroup(family, given)),
    )
    return tr("{name} can sign in as {user}.", name=added.display_name, user=added.user_id)


class _Pins:
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


def _list(users: tuple[Operator, ...], *, as_json: bool) -> None:
    rows = [(one.user_id, one.display_name, str(one.role), one.name.pn) for one in users]
    if as_json:
        print_json([dict(zip(_HEAD, row, strict=True)) for row in rows])
    else:
        print_table(_HEAD, rows)
