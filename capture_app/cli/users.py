"""capture-app users: who may sign in on this computer, and with which roles. Staff only.

An administrator signs in for every change; `add --first` makes the first one where there is no
window to do it. A PIN is asked for unseen, or read from standard input. It is never an argument:
those are seen by everybody on the computer.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from capture_app.bootstrap import open_data_folder
from capture_app.cli.main import EXIT_DONE
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, start
from capture_app.cli.who import Pins
from capture_app.errors import SettingsError, SettingsFault, SignInError
from capture_app.model.operator import Act, Operator, Role, may
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr
from capture_app.security.users import FIRST_ROLES, Users

_HEAD: Final = ("user", "name", "roles", "operator", "acts_as")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        choices=["list", "add", "set-roles", "reset-pin", "change-pin", "remove"],
        help="list: who may sign in; add: one more; set-roles: these roles from now on; reset-pin: "
        "a new PIN; change-pin: one's own; remove: no longer",
    )
    parser.add_argument("user", nargs="?", default="", metavar="USER", help="the user's id")
    parser.add_argument("--by", default="", metavar="USER", help="the administrator who does it")
    parser.add_argument("--family", default="", metavar="NAME", help="add: for the images")
    parser.add_argument("--given", default="", metavar="NAME", help="add: for the images")
    parser.add_argument(
        "--role",
        action="append",
        choices=[str(role) for role in Role],
        help="add and set-roles: what they may do, as often as they have roles (capture)",
    )
    parser.add_argument(
        "--service",
        default="",
        metavar="ACCOUNT",
        help="add: a service account without a PIN, as which commands act that this account of the "
        "operating system runs",
    )
    parser.add_argument(
        "--first",
        action="store_true",
        help="add: the administrator of a computer that has no user yet; instead of --by",
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="add --first: although there were users: their list was lost or changed, or no "
        "administrator is left. It is recorded",
    )
    parser.add_argument(
        "--pin-stdin",
        action="store_true",
        help="read lines of standard input: the PIN of who does it (not with --first), then the "
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
            _list(folder.users, as_json=args.json)
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
    is_person = adds and not args.service
    expect("USER", args.user, wanted=changes, allowed=tr("a user's id"))
    by_whom = tr("an administrator's id")
    if adds and not args.by:
        by_whom = tr("an administrator's id, or --first instead")
    by_another = changes and args.act != "change-pin" and not (adds and args.first)
    expect("--by", args.by, wanted=by_another, allowed=by_whom)
    for option, name in (("--family", args.family), ("--given", args.given)):
        expect(option, name.strip(), wanted=is_person, allowed=tr("a name"))
    if args.act == "set-roles":
        expect("--role", args.role, wanted=True, allowed=tr("a role, as often as there are some"))
    else:
        fits = is_person and (not args.first or Role.ADMINISTER in (args.role or ()))
        expect("--role", args.role and not fits, wanted=False, allowed="")
    for option, given, fits in (
        ("--service", args.service, adds and not args.first),
        ("--first", args.first, adds),
        ("--anew", args.anew, adds and args.first),
        ("--pin-stdin", args.pin_stdin, changes),
    ):
        expect(option, given and not fits, wanted=False, allowed="")
    if faults:
        raise SettingsError(tuple(faults))


def _change(args: argparse.Namespace, users: Users) -> str:
    """Does it, and says in words what was done. Raises SignInError."""
    pins = Pins(from_stdin=args.pin_stdin)
    if args.first:
        if not args.anew and users.has_any():
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
    if args.act == "change-pin":
        users.change_pin(args.user, pins.known(args.user), pins.new(args.user))
        return tr("{user} has a new PIN.", user=args.user)
    by = users.sign_in(args.by, pins.known(args.by))
    if not may(by, Act.KEEP_USERS):  # said before a new PIN is asked for; the room looks by itself
        raise SignInError(tr("Only an administrator can do this."))
    match args.act:
        case "add":
            return _add(args, users, by, pins)
        case "set-roles":
            user = users.set_roles(args.user, map(Role, args.role), by)
            return tr("{user} has the roles: {roles}.", user=args.user, roles=_roles_of(user))
        case "reset-pin":
            users.reset_pin(args.user, pins.new(args.user), by)
            return tr("{user} has a new PIN.", user=args.user)
        case _:
            users.remove(args.user, by)
            return tr("{user} cannot sign in any more.", user=args.user)


def _add(args: argparse.Namespace, users: Users, by: Operator | None, pins: Pins) -> str:
    if args.service and by is not None:
        added = users.add_service(args.user, args.user, args.service, by)
        return tr(
            "Commands of the account {account} act as {user}.",
            account=args.service,
            user=added.user_id,
        )
    given, family = args.given.strip(), args.family.strip()
    usual = (Role.CAPTURE,) if by else FIRST_ROLES
    added = users.add(
        args.user,
        f"{given} {family}",
        map(Role, args.role) if args.role else usual,
        pins.new(args.user),
        by,
        name=PersonName(NameGroup(family, given)),
        anew=args.anew,
    )
    return tr("{name} can sign in as {user}.", name=added.display_name, user=added.user_id)


def _roles_of(user: Operator) -> str:
    return ", ".join(user.roles)


def _list(users: Users, *, as_json: bool) -> None:
    rows = [(one.user_id, one.display_name, one, one.name.pn, "") for one in users.list()]
    rows += [
        (one.operator.user_id, one.operator.display_name, one.operator, "", one.os_account)
        for one in users.services()
    ]
    if as_json:
        said = ((user, name, [*one.roles], *rest) for user, name, one, *rest in rows)
        print_json([dict(zip(_HEAD, row, strict=True)) for row in said])
    else:
        shown = [(user, name, _roles_of(one), *rest) for user, name, one, *rest in rows]
        print_table(_HEAD, shown)
