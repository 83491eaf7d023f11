"""The papers say what the application does: links, commands, options, settings, codes."""

import argparse
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from capture_app.catalog.load import load_catalog
from capture_app.cli import main as command_line
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState, ProofKind
from capture_app.patients.census.visits import EVENTS
from capture_app.patients.sources.adt import receiver as adt
from capture_app.settings.load import load
from tests.certificates import write_certificates

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAPERS = sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])
GUIDES = [paper for paper in PAPERS if paper.parent.name != "decisions"]
LARGEST_PICTURE = 300_000

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_CODE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?<![\w/.-])capture-app ([a-z]+)(?![\w./-])")


@cache
def text(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def section(name: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or a higher one."""
    level = heading.split(" ", 1)[0]
    parts = re.split(
        rf"^#{{1,{len(level)}}} .*$",
        text(name).split(f"{heading}\n", 1)[1],
        maxsplit=1,
        flags=re.MULTILINE,
    )
    return parts[0]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = _FENCE.sub("", path.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


@cache
def options_of(command: str) -> frozenset[str]:
    """Every long option of a command of its own."""
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"capture_app.cli.{command_line.COMMANDS[command][0]}").arguments(parser)
    return _long_options(parser)


def common_options() -> frozenset[str]:
    return _long_options(command_line._common_options())


def _long_options(parser: argparse.ArgumentParser) -> frozenset[str]:
    names = (name for action in parser._actions for name in action.option_strings)
    return frozenset(name for name in names if name.startswith("--"))


# ------------------------------------------------------------------------------- links and pictures


def broken_links(paper: Path) -> Iterator[str]:
    for link in _LINK.findall(_FENCE.sub("", paper.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (paper.parent / target).resolve() if target else paper
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield link


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(paper: Path) -> None:
    assert not list(broken_links(paper))


def test_every_page_is_named_on_another() -> None:
    linked = {
        (paper.parent / link.partition("#")[0]).resolve()
        for paper in PAPERS
        for link in _LINK.findall(paper.read_text("utf-8"))
    }
    named = {(REPOSITORY / code).resolve() for code in _CODE.findall(text("README.md"))}
    assert not [str(page) for page in DOCS.rglob("*.md") if page.resolve() not in linked | named]


def test_pictures_are_used_and_small() -> None:
    pictures = sorted((DOCS / "pictures").iterdir())
    assert pictures
    together = "".join(paper.read_text("utf-8") for paper in PAPERS)
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_PICTURE, picture.name
        assert f"pictures/{picture.name}" in together


# ----------------------------------------------------------------------------- commands and options


@pytest.mark.parametrize("paper", GUIDES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_command_that_is_named_exists(paper: Path) -> None:
    said = paper.read_text("utf-8")
    codes = [code for _, code in _FENCE.findall(said)] + _CODE.findall(_FENCE.sub("", said))
    named = {name for code in codes for name in _COMMAND.findall(code)}
    assert named <= command_line.COMMANDS.keys()


@pytest.mark.parametrize("command", command_line.COMMANDS)
def test_the_guide_names_every_option_of_a_command_and_no_other(command: str) -> None:
    chapter = section("docs/it-guide.md", "## Commands")
    titles = {"desktop": "`capture-app` or `capture-app desktop`"}
    title = titles.get(command, f"`capture-app {command}`")
    named = set(_OPTION.findall(section("docs/it-guide.md", f"### {title}")))
    assert named - common_options() == options_of(command)
    introduction = chapter.split("###", 1)[0]
    assert set(_OPTION.findall(introduction)) == common_options()


def test_every_option_anywhere_in_the_guide_exists() -> None:
    known = common_options().union(*map(options_of, command_line.COMMANDS))
    prose = text("docs/it-guide.md").replace("useradd --system --create-home --shell", "")
    prose = prose.replace("systemctl enable --now", "")
    prose = re.sub(r"^\.venv/bin/pip .*$", "", prose, flags=re.MULTILINE)
    assert set(_OPTION.findall(prose)) <= known | {"--version"}


def test_exit_codes_are_those_of_the_commands() -> None:
    table = section("docs/it-guide.md", "## Commands").split("###", 1)[0]
    named = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert named == {
        value for name, value in vars(command_line).items() if name.startswith("EXIT_")
    }


# ----------------------------------------------------------------------------------------- settings


def test_the_complete_example_can_be_used(tmp_path: Path) -> None:
    blocks = _FENCE.findall(section("docs/it-guide.md", "## A complete example"))
    (toml,) = (code for language, code in blocks if language == "toml")
    write_certificates(tmp_path)
    for path in set(re.findall(r'"(/etc/capture-app/[^"]+)"', toml)):  # they must be usable
        kind = {".pem": "good.crt", ".key": "good.key"}[Path(path).suffix]
        toml = toml.replace(path, str(tmp_path / kind))
    file = tmp_path / "settings.toml"
    file.write_text(toml, encoding="utf-8")
    settings = load(settings_file=file, data_dir=None, environ={})
    assert [archive.name for archive in settings.archives] == ["pacs", "vna"]
    catalog = load_catalog()
    assert len(catalog.favourites(settings.station.department, settings.capture.favourites)) == len(
        settings.capture.favourites
    )
    assert settings.station.department in {entry.department for entry in catalog.procedures}


# -------------------------------------------------------------------------------------------- codes


def test_the_acts_in_the_trail_are_those_that_are_recorded() -> None:
    source = "".join(path.read_text("utf-8") for path in (REPOSITORY / "capture_app").rglob("*.py"))
    recorded = {AuditAction[name].value for name in re.findall(r"AuditAction\.([A-Z_]+)", source)}
    table = section("docs/it-guide.md", "## Logs").split("| acts in the trail | |", 1)[1]
    assert set(_CODE.findall(table)) == recorded


def test_the_states_of_an_image_are_told() -> None:
    states = re.search(r"States are ([^;]+);", section("docs/it-guide.md", "## Commands"))
    assert states is not None
    assert _CODE.findall(states[1]) == list(map(str, ImageState))


def test_the_proofs_are_told() -> None:
    table = section("docs/conformance.md", "## Proof")
    assert {kind.value for kind in ProofKind} <= set(
        re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)
    )


def test_the_events_of_the_feed_are_told() -> None:
    rows = re.findall(
        r"^\| ((?:A\d\d(?:, )?)+) \| (.*) \|$",
        section("docs/conformance.md", "## HL7"),
        re.MULTILINE,
    )
    taken = {
        event for events, what in rows if "refused" not in what for event in events.split(", ")
    }
    refused = {event for events, what in rows if "refused" in what for event in events.split(", ")}
    assert taken == set(EVENTS)
    assert refused == adt._MERGES


def test_the_size_of_the_catalogue_is_told_alike(capsys: pytest.CaptureFixture[str]) -> None:
    catalog = load_catalog()
    assert command_line.main(["catalog", "check"]) == 0
    assert f" {len(catalog.selectable)} procedures to choose " in capsys.readouterr().out
    counted = f"{len(catalog.selectable)} procedures, {len(catalog.regions)} body sites"
    assert counted in text("README.md")
