"""Every cell of both databases damaged, one at a time, on a small real folder: all else goes on.

`make test` draws one damage of one row for each column, by a seed; `make faults` tries every damage
of every row.
"""

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import structlog

from capture_app.cli import outbox as outbox_command
from capture_app.cli import patients as patients_command
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS
from capture_app.devices.card import card_files
from capture_app.errors import UsersDamagedError
from capture_app.exam.card_sorting import sort_card
from capture_app.exam.cards import code_of
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.operator import Operator
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.keeping.clips import Film
from capture_app.outbox.keeping.drafts import UNDO_DELETE_FOR
from capture_app.outbox.keeping.slates import note_file
from capture_app.outbox.receiving.keeping import clean_discarded, discard, open_received
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.steps.retain import clean_deleted
from capture_app.security.users import FIRST_ROLES
from capture_app.settings.resources import migrations
from capture_app.store.database import read_migrations
from capture_app.store.sealed import SUFFIX
from capture_app.ui.outbox.rows import group_sends, row_of
from tests import draws, filming
from tests.cards import CameraCard
from tests.outboxes import PACS
from tests.receiving import keep_one
from tests.ui.stage import Stage, open_stage
from tests.unit.patients.adt_said import DOE, said
from tests.waiting import Eventually, eventually

NOW: Final = datetime(2026, 7, 2, 9, 30, tzinfo=UTC)
_VALUES: Final = {
    "TEXT": (
        "'zz'",
        "CAST(x'ff' AS TEXT)",
        "''",
        "'9999-12-31T23:59:59.000000+00:00'",
        "'0001-01-01T00:00:00.000000+00:00'",
    ),
    "INTEGER": ("-7", "9223372036854775807"),
    "REAL": ("-7.0", "1e300"),
    "BLOB": ("x'00'", "x''"),
}
OPERATOR: Final = Operator("ada", "Ada", FIRST_ROLES)
OF_THE_DRAFTS, OF_THE_SENT, OF_THE_CONFIRMED = "0012345678", "0012354687", "0008664310"
FRAMES: Final = 3
NOT_PROVED: Final = {
    "set_apart": "what a start found: each looks anew, and the check names the file itself",
    "received.discarded_at": "emptied it waits: a person looks at it once more",
    "change": "news for open windows, put right where it is opened",
    "exam.known": "emptied it is as never noted: the exam's own wording is compared with",
    "exam.user_id": "the sealed exam says who took it",
    "capture.user_id": "the sealed exam says who took it",
    "capture.fault": "words; a start looks at the file again",
    "instance.user_id": "the trail says who sent it",
    "instance.send_id": "only what was sent together",
    "waiting_since": "what cannot be begins anew; the time of the wall clock must be over as well",
    "task.destination": "one that the settings do not name stops there, and says so",
    "task.receipt": "what an archive said of a store; a step that was given again has none",
    "task.answered": "what is no code of a stop answers none: a person is asked once more",
    "slate": "one that cannot be read names nobody: its pictures stay on the card",
    "card_file": "a file that is not known any more is new again, and is kept twice at worst",
    "task.error_code": "words",
    "task.last_error": "words",
}
"""What `outbox --check` need not name, and why."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One cell, and what stands there instead of what was written."""

    database: str
    table: str
    column: str
    value: str
    row: int
    """Counted in the order of the table."""

    def __str__(self) -> str:
        return f"{self.table}.{self.column}[{self.row}]={self.value}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A whole data folder, and what is in it."""

    path: Path
    drafts: frozenset[str]
    deleted: str
    sent: frozenset[str]
    confirmed: str
    films: frozenset[str]
    """Those of them that are clips."""
    letter: str
    """Of an image that a scanner sent and that is nobody's."""


def _fill(path: Path) -> Folder:
    clock = FixedClock(NOW)
    with open_stage(path, clock) as stage:
        ada = stage.add_user("ada", "Ada", *FIRST_ROLES)
        stage.add_user("bob", "Bob")
        stage.receiver.handle(b"noise")
        (confirmed,) = stage.pictures(OF_THE_CONFIRMED, 1, ada)
        stage.outbox.seal([confirmed], ada, release_now=True)
        engine = stage.engine()
        engine.start()
        eventually(lambda: stage.outbox.counts().confirmed_today == 1)
        assert engine.stop()
        *drafts, deleted = stage.pictures(OF_THE_DRAFTS, 3, ada)
        stage.outbox.delete([deleted], ada)
        drafts.append(_of_a_card(stage, OF_THE_DRAFTS, ada, path.parent / "card"))
        drafts.append(_film(stage, OF_THE_DRAFTS, ada))
        sent = (*stage.pictures(OF_THE_SENT, 2, ada), _film(stage, OF_THE_SENT, ada))
        stage.outbox.seal(sent, ada, release_now=True)
        exam = stage.outbox.exam_of(drafts[0])
        stage.services.cards.show(exam, ada)
        with stage.outbox.spool.database.transaction() as connection:
            note_file(connection, "0" * 64, drafts[0])
        junk = stage.outbox.spool.captures / f"junk{SUFFIX}"
        junk.write_bytes(b"no sealed file")
        assert recover(stage.outbox.spool, [PACS]).set_apart == [junk]
        junk.unlink()  # its row stays until the next start
        letter = keep_one(stage.outbox).letter
        discard(stage.outbox.spool, keep_one(stage.outbox, "2.25.10").letter, ada)
        # A sex that no table names leaves a note; both names of an authority are learnt.
        both = DOE.replace("HOSP", "ST ANNE&1.2.3&ISO").replace("|F", "|W")
        odd = said("A01", "0900", pid=both).replace(b"20261127", b"20260702")
        assert b"MSA|AA" in stage.receiver.handle(odd)
    films = frozenset({drafts[-1], sent[-1]})
    return Folder(path, frozenset(drafts), deleted, frozenset(sent), confirmed, films, letter)


def _film(stage: Stage, number: str, operator: Operator) -> str:
    """A clip as a draft of a patient."""
    (entry,) = stage.census.lookup(number)
    exam = stage.services.exams.open(entry, operator, IdentifiedBy.SCAN)
    film = Film(filming.SHAPE, tuple((filming.jpeg(n), n * 33_000) for n in range(FRAMES)))
    kept = stage.outbox.keep_film(filming.identity(exam, stage.outbox), film)
    stage.services.exams.close()
    return kept


def _of_a_card(stage: Stage, number: str, operator: Operator, folder: Path) -> str:
    """A picture of a camera's card as a draft of the patient of the slate before it."""
    cards, now = stage.services.cards, stage.services.clock.now()
    (slate,) = cards.print(stage.census.lookup(number), operator)
    card = CameraCard(folder, now)
    card.shoot(code_of(slate, now))
    card.shoot()
    files = tuple(cards.read(file) for file in card_files(folder))
    (group,) = sort_card(files, cards.slates_of(files), now)
    shown, device = cards.patient_of(slate), DeviceInfo("dslr", "DSLR", DeviceKind.FILE)
    (kept,) = cards.keep(group, slate, shown=shown, operator=operator, device=device)
    return kept


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return _fill(tmp_path_factory.mktemp("whole") / "data")


def _columns() -> list[tuple[str, str, str, str]]:
    """Database, table, column and type of every cell there is."""
    found = list[tuple[str, str, str, str]]()
    for database, room in (("outbox.db", "outbox"), ("census.db", "patients")):
        with closing(sqlite3.connect(":memory:")) as connection:
            for step in read_migrations(migrations(room)):
                connection.executescript(step.sql)
            rows = connection.execute(
                "SELECT tables.name, columns.name, columns.type, columns.'notnull' "
                "FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns "
                "WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' "
                "AND tables.name <> 'users_in_clear' "  # there until it is first opened
                "ORDER BY tables.name, columns.cid"
            )
            found += [
                (database, table, column, kind if not_null else f"{kind} or NULL")
                for table, column, kind, not_null in rows
            ]
    return found


def _spoil(folder: Path, damage: Damage) -> bool:
    """Whether that cell is there and could be damaged so."""
    table = damage.table
    with closing(sqlite3.connect(folder / damage.database)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:  # a bad sector fires none
            connection.execute(f"DROP TRIGGER {name}")
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        key = ", ".join(row[1] for row in columns if row[5])
        one = f"({key}) = (SELECT {key} FROM {table} LIMIT 1 OFFSET {damage.row})"  # noqa: S608 - names of the schema
        with suppress(sqlite3.IntegrityError):  # it is not possible that two rows have one key
            changed = connection.execute(
                f"UPDATE {table} SET {damage.column} = {damage.value} "  # noqa: S608 - names of the schema
                f"WHERE {one} AND {damage.column} IS NOT {damage.value}"
            )
            for _, sql in triggers:
                connection.execute(sql)
            connection.commit()
            return changed.rowcount == 1
    return False


def _rows(folder: Path, database: str, table: str) -> int:
    with closing(sqlite3.connect(folder / database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - names of the schema


_SETTLED: Final = frozenset({ImageState.CONFIRMED, ImageState.NEEDS_YOU, ImageState.IT_ASKED})


@dataclass(frozen=True, slots=True)
class Trial:
    """One damaged folder in use. What does not go on is found, and stops no other part of it."""

    whole: Folder
    damage: Damage
    stage: Stage
    clock: FixedClock
    eventually: Eventually
    found: list[str]

    def run(self) -> None:
        """All that people and programs do with a data folder."""
        with self.trying("check"):
            self.check()
        with self.trying("lists"):
            self.look()
        with self.trying("patients"):
            self.patients()
        new = set[str]()
        for number in (OF_THE_CONFIRMED, OF_THE_SENT):
            with self.trying(f"import for {number}"):
                taken = self.stage.pictures(number, 1, OPERATOR)
                self.stage.outbox.seal(taken, OPERATOR, release_now=True)
                new |= {*taken}
        with self.trying("delivery"):
            self.deliver(new | self.whole.sent)
        with self.trying("lists after the start"):
            self.look(self.whole.drafts | self.whole.sent | {self.whole.confirmed} | new)
        with self.trying("tidying"):
            self.tidy()

    @contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """Notes what is raised."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever does not go on is what is looked for
            self.found.append(f"{what}: {type(error).__name__}: {error}")

    def check(self) -> None:
        """`outbox --check` names the damage."""
        is_named = outbox_command._check(self.stage.outbox, as_json=True) == EXIT_FAILED
        cell = {self.damage.table, f"{self.damage.table}.{self.damage.column}"}
        if self.damage.database == "outbox.db" and not is_named and not cell & NOT_PROVED.keys():
            self.found.append("check does not name it")

    def look(self, wanted: AbstractSet[str] = frozenset()) -> None:
        """The lists of the window and of the command."""
        outbox = self.stage.outbox
        statuses, drafts = outbox.statuses(), outbox.drafts()
        archives = outbox.at_archives([status.sop_instance_uid for status in statuses])
        for status in statuses:
            outbox_command._row(status, archives.get(status.sop_instance_uid, ()))
        for send in group_sends(outbox, statuses):
            row_of(send, self.clock.now())
        outbox.readable_exams({draft.exam_id for draft in drafts})
        outbox.counts()
        listed = Counter(status.capture_id for status in statuses)
        sent = {status.capture_id for status in statuses if status.sealed_at is not None}
        if max(listed.values()) > 1 or sent & {draft.capture_id for draft in drafts}:
            self.found.append("a picture is listed twice")
        if not wanted <= listed.keys():
            self.found.append(f"{len(wanted - listed.keys())} pictures are listed no more")

    def patients(self) -> None:
        """The list of patients, its command and its feed; and who may sign in."""
        census = self.stage.census
        if len(census.find("")) < len(ADMISSIONS) - 1:
            self.found.append("patients are missing")
        patients_command._show_feed(census, 100, as_json=False)
        census.dead_letters()
        self.stage.admit(ADMISSIONS[0], event="A08")
        try:
            users = {user.user_id for user in self.stage.services.users.list()}
        except UsersDamagedError:
            users = set()
        # Without what the head says nobody can sign in: it could be an emptied list.
        is_lost = (self.damage.table, self.damage.column) == ("users_head", "sealed")
        if bool({"ada", "bob"} & users) is is_lost:
            self.found.append("users are missing")

    def deliver(self, pictures: AbstractSet[str]) -> None:
        """The engine starts and sends all but, at most, the damaged one."""
        outbox = self.stage.outbox

        def stand() -> dict[str, ImageStatus]:
            return {one.capture_id: one for one in outbox.statuses() if one.capture_id in pictures}

        def is_settled() -> bool:
            self.clock.advance(20)
            return {one.state for one in stand().values()} <= _SETTLED

        engine = self.stage.engine()
        engine.start()
        try:
            self.eventually(is_settled)
        finally:
            assert engine.stop()
        held = self.stage.archive.holds()
        confirmed = [one for one in stand().values() if one.state is ImageState.CONFIRMED]
        if len(confirmed) < len(pictures) - 1:
            self.found.append("neighbours are not confirmed")
        if any(one.sop_instance_uid not in held for one in confirmed):
            self.found.append("confirmed, and not in the archive")

    def tidy(self) -> None:
        """Days later only what a person deleted is gone."""
        self.clock.advance(2 * UNDO_DELETE_FOR.total_seconds())
        clean_deleted(self.stage.outbox.spool)
        clean_discarded(self.stage.outbox.spool)
        recover(self.stage.outbox.spool, [PACS])
        assert open_received(self.stage.outbox.spool, self.whole.letter)
        for one in sorted(self.whole.drafts | self.whole.sent | {self.whole.confirmed}):
            if one in self.whole.films:
                with self.stage.outbox.film_of(one) as clip:
                    assert len(list(clip.frames())) == FRAMES
            else:
                self.stage.outbox.image_of(one)


def test_every_table_has_rows_to_be_damaged(folder: Folder) -> None:
    tables = {(database, table) for database, table, _, _ in _columns()}
    assert {table for database, table in tables if not _rows(folder.path, database, table)} == set()


def test_a_folder_without_damage_is_found_whole(folder: Folder, tmp_path: Path) -> None:
    copy = shutil.copytree(folder.path, tmp_path / "copy")
    with open_stage(copy, FixedClock(NOW + timedelta(minutes=5)), admissions=()) as stage:
        assert outbox_command._check(stage.outbox, as_json=True) == EXIT_DONE


@pytest.mark.expects_log("")
@pytest.mark.timeout(draws.PATIENCE_S)
@pytest.mark.parametrize(
    ("database", "table", "column", "kind"),
    [pytest.param(*cell, id=f"{cell[1]}.{cell[2]}") for cell in _columns()],
)
def test_a_damaged_cell_stops_itself_only(
    folder: Folder,
    tmp_path: Path,
    eventually: Eventually,
    database: str,
    table: str,
    column: str,
    kind: str,
) -> None:
    structlog.get_logger(__name__).warning("cell-damaged")  # of which the log may well tell more
    kind, _, nullable = kind.partition(" or ")
    every = [
        Damage(database, table, column, value, row)
        for value in (*_VALUES[kind], *filter(None, [nullable]))
        for row in range(_rows(folder.path, database, table))
    ]
    random.Random(f"{table}.{column}").shuffle(every)
    problems = {}
    for number, damage in enumerate(every[: draws.drawn(1, whole=len(every))]):
        copy = tmp_path / str(number)
        shutil.copytree(folder.path, copy)
        if not _spoil(copy, damage):
            continue
        found, clock = list[str](), FixedClock(NOW + timedelta(minutes=5))
        try:
            with open_stage(copy, clock, admissions=()) as stage:
                Trial(folder, damage, stage, clock, eventually, found).run()
        except Exception as error:  # noqa: BLE001 - whatever does not go on is what is looked for
            found.append(f"start: {type(error).__name__}: {error}")
        if found:
            problems[str(damage)] = found
        shutil.rmtree(copy)
    assert not problems, "\n".join(f"{damage}: {found}" for damage, found in problems.items())
