"""The `capture-app` command: picks the sub-command and turns errors into sentences and exit codes.

Exit codes are stable, for integrators: 0 done; 1 it failed; 2 the command or the settings are
wrong; 3 a rule refused it, nothing was queued; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from capture_app import __version__
from capture_app.cli.console import settle_streams
from capture_app.errors import CaptureAppError, RuleError, SettingsError
from capture_app.model.words import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = structlog.get_logger(__name__)

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG_SETTINGS: Final = 2
EXIT_REFUSED: Final = 3
EXIT_INTERRUPTED: Final = 130

# Each command's module is imported only when it is asked for: the window does not pay for the
# rest. A module has `arguments(parser)` and `run(args) -> int`.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "desktop": ("desktop", "open the window (the default)"),
    "demo": ("demo", "practise with a simulated hospital"),
    "serve": ("serve", "take the feeds and deliver, without a window"),
    "import": ("import_pictures", "queue picture files for a patient of the census"),
    "patients": ("patients", "list patients of the census"),
    "outbox": ("outbox", "list what is on its way to the archive"),
    "catalog": ("catalog", "list or check the coded procedures and regions"),
    "settings": ("settings", "check, try or show the settings"),
    "devices": ("devices", "list the cameras of this computer, or try devices"),
    "doctor": ("doctor", "look whether this station works, and say what to do"),
    "support-bundle": ("support_bundle", "write a file for who helps from afar, without patients"),
    "received": ("received", "what scanners sent and is nobody's yet, and filing it"),
    "trail": ("trail", "list, prove or export what was done on this computer"),
    "users": ("users", "list, add or remove who may sign in; set roles, reset a PIN"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code."""
    settle_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["_child"]:  # of the application itself, and of nobody who reads its help
        from capture_app.cli import child  # noqa: PLC0415 - as COMMANDS says

        return child.run()
    parser = _top_parser()
    if arguments and arguments[0] in {"-h", "--help", "--version"}:
        parser.parse_args(arguments)
    name = "desktop"
    if arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
        if name not in COMMANDS:
            parser.error(
                tr(
                    "there is no command '{name}'. Commands: {commands}",
                    name=name,
                    commands=", ".join(COMMANDS),
                )
            )
    module_name, summary = COMMANDS[name]
    module = import_module(f"capture_app.cli.{module_name}")
    command_parser = argparse.ArgumentParser(
        prog=f"capture-app {name}",
        description=f"{summary[:1].upper()}{summary[1:]}.",
        parents=[_common_options()],
        # A script that abbreviates would change its meaning with the next option.
        allow_abbrev=False,
    )
    module.arguments(command_parser)
    args = command_parser.parse_args(arguments)
    try:
        code: int = module.run(args)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_WRONG_SETTINGS
    except RuleError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_REFUSED
    except CaptureAppError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except BrokenPipeError:
        # The reader of our output has gone (`capture-app patients | head`): nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        if structlog.is_configured():
            _log.info("command-failed", exc_info=True)  # all of it in the file alone
        where = f" ({error.filename})" if error.filename else ""
        sys.stderr.write(tr("The computer refused: {why}.", why=f"{error.strerror}{where}") + "\n")
        return EXIT_FAILED
    return code


def _common_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    options = parser.add_argument_group("options of every command")
    options.add_argument(
        "--settings",
        type=_path,
        metavar="FILE",
        help="use this settings file alone (or CAPTURE_APP_SETTINGS)",
    )
    options.add_argument(
        "--data", type=_path, metavar="DIR", help="the data folder (or CAPTURE_APP_DATA)"
    )
    options.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        default="warning",
        help="what is written to standard error (warning); the log file always has info",
    )
    return parser


def _path(text: str) -> Path:
    if not text:  # as a path it would be the folder that somebody happens to be in
        message = tr("it is empty")
        raise argparse.ArgumentTypeError(message)
    return Path(text)


def _top_parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="capture-app",
        usage="capture-app [command] [options]",
        description="Point-of-care image capture, delivered to the archive as standard DICOM.",
        epilog=f"commands:\n{listing}\n\n'capture-app COMMAND --help' tells more of one.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong options or settings, 3 refused by a rule.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"capture-app {__version__}")
    return parser
