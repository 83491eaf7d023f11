import sqlite3
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail, verify_chain
from capture_app.clock import FixedClock
from capture_app.errors import SignInError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PersonName
from capture_app.security.users import PinCost, Users, delay_after
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

CIPHER = Cipher(bytes(range(32)))
CHEAP = PinCost(memory_kib=64, passes=1)
PIN, WRONG = "2749", "9472"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "outbox.db", files("capture_app.outbox") / "migrations")
    yield database
    database.close()


@pytest.fixture
def users(db: Database, clock: FixedClock) -> Users:
    found = Users(db, CIPHER, clock, cost=CHEAP)
    found.add("anna", "Anna Berg", Role.ADMIN, PIN, None)
    return found


@pytest.fixture
def anna(users: Users) -> Operator:
    return users.list()[0]


def acts(db: Database) -> list[AuditEvent]:
    return [row.event for row in read_trail(db.read())]


def fail(users: Users, times: int, user_id: str = "anna") -> str:
    words = ""
    for _ in range(times):
        with pytest.raises(SignInError) as raised:
            users.sign_in(user_id, WRONG)
        words = str(raised.value)
    return words


def test_new_computer_has_no_users(db: Database, clock: FixedClock) -> None:
    users = Users(db, CIPHER, clock)
    assert not users.has_any()
    assert users.list() == ()


def test_user_signs_in_with_the_right_pin_alone(users: Users, anna: Operator) -> None:
    assert users.has_any()
    assert users.sign_in(" Anna ", PIN) == anna == Operator("anna", "Anna Berg", Role.ADMIN)
    with pytest.raises(SignInError, match="User or PIN is wrong"):
        users.sign_in("anna", WRONG)
    with pytest.raises(SignInError, match="User or PIN is wrong"):
        users.sign_in("anna", PIN + "0")
    with pytest.raises(SignInError, match="User or PIN is wrong"):
        users.sign_in("nobody", PIN)


def test_name_for_the_images_is_kept_in_all_scripts(users: Users, anna: Operator) -> None:
    name = PersonName(NameGroup("Wáng", "Li", prefix="Dr"), NameGroup("王", "莉"))
    added = users.add("li", "Dr Wang", Role.CAPTURE, "8305", anna, name=name)
    assert users.sign_in("li", "8305") == added
    assert users.list() == (anna, added)
    assert added.name.pn == "Wáng^Li^^Dr=王^莉"


def test_every_act_is_in_the_trail_and_no_pin_is(
    db: Database, users: Users, anna: Operator
) -> None:
    users.add("bo", "Bo", Role.CAPTURE, "8305", anna)
    users.sign_in("bo", "8305")
    fail(users, 4)
    fail(users, 1, "2749")  # somebody typed the PIN where the user goes
    assert [(act.action, act.user_id, act.details.get("reason")) for act in acts(db)] == [
        (AuditAction.USER_ADDED, "anna", None),
        (AuditAction.USER_ADDED, "anna", None),
        (AuditAction.SIGNED_IN, "bo", None),
        *[(AuditAction.SIGN_IN_FAILED, "anna", "wrong-pin")] * 3,
        (AuditAction.SIGN_IN_FAILED, "anna", "waiting"),
        (AuditAction.SIGN_IN_FAILED, "unknown", "unknown-user"),
    ]
    assert not any(PIN in str(act) or WRONG in str(act) for act in acts(db))
    assert verify_chain(db.read(), cipher=CIPHER).whole
    assert PIN.encode() not in db.path.read_bytes()


@pytest.mark.parametrize(
    ("user_id", "shown", "pin", "words"),
    [
        ("", "X", "2749", "user id"),
        ("a b", "X", "2749", "user id"),
        ("x" * 33, "X", "2749", "user id"),
        ("../x", "X", "2749", "user id"),
        ("bo", " ", "2749", "name to show"),
        ("bo", "B\n", "2749", "name to show"),
        ("bo", "X", "274", "4 to 64"),
        ("bo", "X", "7" * 65, "4 to 64"),
        ("bo", "X", "1234", "easy to guess"),
        ("bo", "X", "987654", "easy to guess"),
        ("bo", "X", "0000", "easy to guess"),
        ("anna", "X", "2749", "already"),
        ("ANNA", "X", "2749", "already"),
    ],
)
def test_unfit_user_is_refused_in_words(
    users: Users, anna: Operator, user_id: str, shown: str, pin: str, words: str
) -> None:
    with pytest.raises(SignInError, match=words):
        users.add(user_id, shown, Role.CAPTURE, pin, anna)
    assert users.list() == (anna,)


def test_only_an_administrator_adds_users(users: Users, anna: Operator) -> None:
    bo = users.add("bo", "Bo", Role.CAPTURE, "8305", anna)
    for by in (bo, None):
        with pytest.raises(SignInError, match="administrator"):
            users.add("eve", "Eve", Role.ADMIN, "8305", by)
    assert len(users.list()) == 2


def test_delay_grows_and_has_an_end() -> None:
    delays = [delay_after(failures).total_seconds() for failures in range(12)]
    assert delays == [0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert delay_after(10_000).total_seconds() == 900


def test_wait_refuses_even_the_right_pin_and_then_ends(users: Users, clock: FixedClock) -> None:
    assert fail(users, 2) == "User or PIN is wrong."
    assert fail(users, 1) == "Too many wrong PINs. Try again in 15 seconds."
    clock.advance(14.2)
    with pytest.raises(SignInError, match="in 1 second"):
        users.sign_in("anna", PIN)
    clock.advance(0.8)
    assert users.sign_in("anna", PIN).user_id == "anna"


def test_waits_grow_until_the_right_pin_ends_the_row(users: Users, clock: FixedClock) -> None:
    fail(users, 3)
    for seconds in (30, 60, 120):
        clock.advance(900)
        assert fail(users, 1) == f"Too many wrong PINs. Try again in {seconds} seconds."
    clock.advance(900)
    users.sign_in("anna", PIN)
    assert fail(users, 2) == "User or PIN is wrong."


def test_trying_during_a_wait_neither_counts_nor_prolongs(users: Users, clock: FixedClock) -> None:
    fail(users, 3)
    clock.advance(10)
    assert fail(users, 20) == "Too many wrong PINs. Try again in 5 seconds."
    clock.advance(5)
    assert users.sign_in("anna", PIN).user_id == "anna"


def test_one_users_wait_is_not_anothers(users: Users, anna: Operator) -> None:
    users.add("bo", "Bo", Role.CAPTURE, "8305", anna)
    fail(users, 5)
    assert users.sign_in("bo", "8305").user_id == "bo"


def test_wait_outlives_a_restart(db: Database, users: Users, clock: FixedClock) -> None:
    fail(users, 3)
    clock.advance(5)
    restarted = Users(db, CIPHER, clock, cost=CHEAP)
    with pytest.raises(SignInError, match="in 10 seconds"):
        restarted.sign_in("anna", PIN)
    clock.advance(10)
    assert restarted.sign_in("anna", PIN).user_id == "anna"


def test_wall_clock_put_forward_does_not_end_a_wait(users: Users, clock: FixedClock) -> None:
    fail(users, 3)
    elapsed = clock.elapsed
    clock.advance(100_000)
    clock.elapsed = elapsed + 5
    with pytest.raises(SignInError, match="in 10 seconds"):
        users.sign_in("anna", PIN)


def test_wall_clock_put_back_does_not_prolong_a_wait(users: Users, clock: FixedClock) -> None:
    fail(users, 3)
    elapsed = clock.elapsed
    clock.advance(-100_000)
    clock.elapsed = elapsed + 15
    assert users.sign_in("anna", PIN).user_id == "anna"


def test_wall_clock_put_back_and_a_restart_wait_the_delay_once_more(
    db: Database, users: Users, clock: FixedClock
) -> None:
    fail(users, 3)
    clock.advance(-100_000)
    restarted = Users(db, CIPHER, clock, cost=CHEAP)
    with pytest.raises(SignInError, match="in 15 seconds"):
        restarted.sign_in("anna", PIN)
    clock.advance(15)
    assert restarted.sign_in("anna", PIN).user_id == "anna"


def test_guesses_of_two_processes_are_counted_together(
    db: Database, users: Users, clock: FixedClock
) -> None:
    other = Users(db, CIPHER, clock, cost=CHEAP)
    fail(users, 2)
    assert fail(other, 1).startswith("Too many")
    with pytest.raises(SignInError, match="Too many"):
        users.sign_in("anna", PIN)


@pytest.mark.expects_log("trail-head-damaged")  # it has the key in it
def test_table_is_of_no_use_without_the_key(db: Database, users: Users, clock: FixedClock) -> None:
    with pytest.raises(SignInError, match="wrong"):
        Users(db, Cipher(bytes(32)), clock, cost=CHEAP).sign_in("anna", PIN)


def test_equal_pins_do_not_look_equal(db: Database, users: Users, anna: Operator) -> None:
    users.add("bo", "Bo", Role.CAPTURE, PIN, anna)
    hashes = {row[0] for row in db.read().execute("SELECT pin_hash FROM users")}
    assert len(hashes) == 2


def test_row_made_at_another_cost_still_opens(
    db: Database, users: Users, clock: FixedClock
) -> None:
    assert Users(db, CIPHER, clock).sign_in("anna", PIN).user_id == "anna"
    assert PinCost.parse(str(PinCost())) == PinCost()
    assert PinCost().memory_kib * PinCost().passes >= 19_456 * 2


# -------------------------------------------------------------------------- what administrators do


@pytest.fixture
def bo(users: Users, anna: Operator) -> Operator:
    return users.add("bo", "Bo", Role.CAPTURE, "8305", anna)


def test_reset_pin_is_the_only_one_that_opens(users: Users, anna: Operator, bo: Operator) -> None:
    users.reset_pin(" Bo ", "6194", anna)
    assert users.sign_in("bo", "6194") == bo
    with pytest.raises(SignInError, match="wrong"):
        users.sign_in("bo", "8305")
    users.reset_pin("anna", "6194", anna)  # their own, too
    assert users.sign_in("anna", "6194") == anna


def test_reset_pin_ends_the_wait_in_every_process(
    db: Database, users: Users, clock: FixedClock, anna: Operator, bo: Operator
) -> None:
    window = Users(db, CIPHER, clock, cost=CHEAP)
    assert fail(window, 5, "bo").startswith("Too many wrong PINs.")
    users.reset_pin("bo", "6194", anna)
    assert window.sign_in("bo", "6194") == bo
    assert fail(window, 2, "bo") == "User or PIN is wrong."


def test_removed_user_is_gone_but_the_id_is_not_given_again(
    db: Database, users: Users, anna: Operator, bo: Operator
) -> None:
    users.remove("bo", anna)
    assert users.list() == (anna,)
    for pin in ("8305", WRONG):
        with pytest.raises(SignInError, match=r"^User or PIN is wrong\.$"):
            users.sign_in("bo", pin)
    with pytest.raises(SignInError, match="choose another"):
        users.add("bo", "Bo the second", Role.CAPTURE, "8305", anna)
    for act in (partial(users.remove, "bo", anna), partial(users.reset_pin, "bo", "6194", anna)):
        with pytest.raises(SignInError, match="There is no user bo"):
            act()
    assert users.list() == (anna,)
    row = db.read().execute("SELECT display_name, removed_by FROM users WHERE user_id = 'bo'")
    assert row.fetchone() == ("Bo", "anna")


def test_last_administrator_cannot_be_removed(users: Users, anna: Operator, bo: Operator) -> None:
    with pytest.raises(SignInError, match="last administrator"):
        users.remove("anna", anna)
    eve = users.add("eve", "Eve", Role.ADMIN, "8305", anna)
    users.remove("anna", anna)
    assert users.has_any()
    assert users.list() == (bo, eve)
    with pytest.raises(SignInError, match="last administrator"):
        users.remove("eve", eve)


def test_only_who_is_an_administrator_now_administers(
    users: Users, anna: Operator, bo: Operator
) -> None:
    eve = users.add("eve", "Eve", Role.ADMIN, "8305", anna)
    users.remove("anna", eve)
    claims = Operator("bo", "Bo", Role.ADMIN)  # the table says otherwise
    for by in (anna, bo, claims, Operator("nobody", "N", Role.ADMIN)):
        for act in (
            partial(users.add, "new", "New", Role.ADMIN, "8305", by),
            partial(users.reset_pin, "eve", "6194", by),
            partial(users.remove, "bo", by),
        ):
            with pytest.raises(SignInError, match="Only an administrator"):
                act()
    assert users.list() == (bo, eve)
    assert users.sign_in("eve", "8305") == eve


def test_new_pin_is_as_good_as_a_first_one(users: Users, anna: Operator, bo: Operator) -> None:
    for pin in ("274", "1234", "0000", "7" * 65):
        with pytest.raises(SignInError, match="PIN"):
            users.reset_pin("bo", pin, anna)
    assert users.sign_in("bo", "8305") == bo


def test_what_administrators_did_is_in_the_trail_and_refusals_change_nothing(
    db: Database, users: Users, anna: Operator, bo: Operator
) -> None:
    users.reset_pin("bo", "6194", anna)
    users.remove("bo", anna)
    with pytest.raises(SignInError, match="last administrator"):
        users.remove("anna", anna)
    with pytest.raises(SignInError, match="wrong"):
        users.sign_in("bo", "6194")
    assert [(act.action, act.user_id, dict(act.details)) for act in acts(db)[2:]] == [
        (AuditAction.PIN_RESET, "anna", {"user": "bo"}),
        (AuditAction.USER_REMOVED, "anna", {"user": "bo"}),
        (AuditAction.SIGN_IN_FAILED, "bo", {"reason": "removed-user"}),
    ]
    assert verify_chain(db.read(), cipher=CIPHER).whole
    assert not any("6194" in str(act) or "8305" in str(act) for act in acts(db))


def test_act_without_its_place_in_the_trail_is_not_done(
    db: Database, users: Users, anna: Operator, bo: Operator
) -> None:
    """One transaction: a trail that takes no row takes no act either."""
    no_row = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"
    db.read().execute(no_row)
    for act in (partial(users.remove, "bo", anna), partial(users.reset_pin, "bo", "6194", anna)):
        with pytest.raises(sqlite3.IntegrityError, match="full"):
            act()
    db.read().execute("DROP TRIGGER full")
    assert users.list() == (anna, bo)
    assert users.sign_in("bo", "8305") == bo
