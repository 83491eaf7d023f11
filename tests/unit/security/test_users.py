import sqlite3
from dataclasses import replace
from functools import partial

import pytest

from capture_app.audit.verify import verify_chain
from capture_app.clock import FixedClock
from capture_app.errors import PinTooShortError, SignInError, UsersDamagedError
from capture_app.model.audit_event import AuditAction
from capture_app.model.operator import Act, Operator, Role, may
from capture_app.model.patient import NameGroup, PersonName
from capture_app.security.pins import PinCost, PinHasher, Wait, delay_after
from capture_app.security.user_table import UserRecord, UserTable
from capture_app.security.users import FIRST_ROLES, Users
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from tests.unit.security.station import CAPTURE, CHEAP, CIPHER, PIN, WRONG, acts, fail


def test_new_computer_has_no_users(db: Database, clock: FixedClock) -> None:
    users = Users(db, CIPHER, clock)
    assert not users.has_any()
    assert users.list() == ()


def test_user_signs_in_with_the_right_pin_alone(users: Users, anna: Operator) -> None:
    assert users.has_any()
    assert users.sign_in(" Anna ", PIN) == anna == Operator("anna", "Anna Berg", FIRST_ROLES)
    with pytest.raises(SignInError, match="User or PIN is wrong"):
        users.sign_in("anna", WRONG)
    with pytest.raises(SignInError, match="User or PIN is wrong"):
        users.sign_in("anna", PIN + "0")
    with pytest.raises(SignInError, match="User or PIN is wrong"):
        users.sign_in("nobody", PIN)


def test_name_for_the_images_is_kept_in_all_scripts(users: Users, anna: Operator) -> None:
    name = PersonName(NameGroup("Wáng", "Li", prefix="Dr"), NameGroup("王", "莉"))
    added = users.add("li", "Dr Wang", CAPTURE, "830527", anna, name=name)
    assert users.sign_in("li", "830527") == added
    assert users.list() == (anna, added)
    assert added.name.pn == "Wáng^Li^^Dr=王^莉"


def test_every_act_is_in_the_trail_and_no_pin_is(
    db: Database, users: Users, anna: Operator
) -> None:
    users.add("bo", "Bo", CAPTURE, "830527", anna)
    users.sign_in("bo", "830527")
    fail(users, 4)
    fail(users, 1, "274913")  # somebody typed the PIN where the user goes
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
        ("", "X", "274913", "user id"),
        ("a b", "X", "274913", "user id"),
        ("x" * 33, "X", "274913", "user id"),
        ("../x", "X", "274913", "user id"),
        ("bo", " ", "274913", "name to show"),
        ("bo", "B\n", "274913", "name to show"),
        ("bo", "X", "27491", "6 to 64"),
        ("bo", "X", "7" * 65, "6 to 64"),
        ("bo", "X", "123456", "easy to guess"),
        ("bo", "X", "987654", "easy to guess"),
        ("bo", "X", "000000", "easy to guess"),
        ("anna", "X", "274913", "already"),
        ("ANNA", "X", "274913", "already"),
    ],
)
def test_unfit_user_is_refused_in_words(
    users: Users, anna: Operator, user_id: str, shown: str, pin: str, words: str
) -> None:
    with pytest.raises(SignInError, match=words):
        users.add(user_id, shown, CAPTURE, pin, anna)
    assert users.list() == (anna,)


def test_only_an_administrator_adds_users(users: Users, anna: Operator) -> None:
    bo = users.add("bo", "Bo", CAPTURE, "830527", anna)
    for by in (bo, None):
        with pytest.raises(SignInError, match="administrator"):
            users.add("eve", "Eve", FIRST_ROLES, "830527", by)
    assert len(users.list()) == 2


def test_delay_grows_and_has_an_end() -> None:
    delays = [delay_after(failures) for failures in range(12)]
    assert delays == [0, 0, 0, 15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert delay_after(10_000) == 900


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
    users.add("bo", "Bo", CAPTURE, "830527", anna)
    fail(users, 5)
    assert users.sign_in("bo", "830527").user_id == "bo"


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


def test_wait_goes_on_with_its_seconds_after_a_new_start_of_the_computer(
    db: Database, users: Users, clock: FixedClock
) -> None:
    """Its own clock begins again at nothing, and the wall clock may say anything."""
    fail(users, 3)
    clock.advance(5)
    fail(users, 1)  # whoever tries leaves in the row what is left
    booted = FixedClock(clock.at, elapsed=3.0)
    for year in (1970, 2099):
        booted.at = clock.at.replace(year=year)
        with pytest.raises(SignInError, match="in 7 seconds"):
            Users(db, CIPHER, booted, cost=CHEAP).sign_in("anna", PIN)
    booted.elapsed = 10.0
    assert Users(db, CIPHER, booted, cost=CHEAP).sign_in("anna", PIN).user_id == "anna"


def test_wait_is_of_the_seconds_that_the_computer_was_on() -> None:
    wait = Wait(failures=3, left_s=15.0, as_of=100.0)
    assert [wait.left(now) for now in (100.0, 110.0, 115.0, 500.0)] == [15.0, 5.0, 0.0, 0.0]
    assert [wait.left(now) for now in (0.0, 5.0, 15.0)] == [15.0, 10.0, 0.0]  # started anew
    assert wait.left(-100_000.0) == 15.0


def test_guesses_of_two_processes_are_counted_together(
    db: Database, users: Users, clock: FixedClock
) -> None:
    other = Users(db, CIPHER, clock, cost=CHEAP)
    fail(users, 2)
    assert fail(other, 1).startswith("Too many")
    with pytest.raises(SignInError, match="Too many"):
        users.sign_in("anna", PIN)


def test_table_is_of_no_use_without_the_key(db: Database, users: Users, clock: FixedClock) -> None:
    """Another key opens neither head nor rows: a fault, and no first start."""
    other = Users(db, Cipher(bytes(32)), clock, cost=CHEAP)
    for asked in (other.has_any, other.list, partial(other.sign_in, "anna", PIN)):
        with pytest.raises(UsersDamagedError, match="Nobody can sign in; sending goes on"):
            asked()


def test_nothing_of_a_row_can_be_read_without_the_key(
    db: Database, users: Users, anna: Operator
) -> None:
    users.add("bo", "Bo", CAPTURE, PIN, anna)
    for user_id, *cells in db.read().execute("SELECT * FROM users"):
        assert user_id in {"anna", "bo"}
        assert len(cells) == 1
        assert b"Anna" not in cells[0]
        assert b"administer" not in cells[0]


def test_hash_made_cheaper_than_today_is_made_anew_at_the_next_good_sign_in(
    db: Database, users: Users, anna: Operator, clock: FixedClock
) -> None:
    table, today = UserTable(db, CIPHER, clock), PinCost(memory_kib=128, passes=2)

    def cost() -> PinCost:
        row = table.row(db.read(), "anna")
        assert isinstance(row, UserRecord)
        assert row.pin is not None
        return row.pin.cost

    dearer = Users(db, CIPHER, clock, cost=today)
    with pytest.raises(SignInError):
        dearer.sign_in("anna", WRONG)
    assert cost() == CHEAP
    assert dearer.sign_in("anna", PIN) == anna
    assert cost() == today
    assert users.sign_in("anna", PIN) == anna  # and no version makes it cheaper again
    assert cost() == today
    assert PinCost() == PinCost(memory_kib=65_536, passes=3)


# ------------------------------------------------------------------------------ PINs of before


@pytest.fixture
def short(db: Database, users: Users, anna: Operator, clock: FixedClock) -> Operator:
    """A user whose PIN was good when four digits were."""
    bo = users.add("bo", "Bo", CAPTURE, "830527", anna)
    table = UserTable(db, CIPHER, clock)
    row = table.row(db.read(), "bo")
    assert isinstance(row, UserRecord)
    with db.transaction() as connection:
        table.write(connection, replace(row, pin=PinHasher(CIPHER, CHEAP).make("bo", "8305")))
    return bo


def test_short_pin_opens_only_the_way_to_a_new_one(
    db: Database, users: Users, short: Operator
) -> None:
    fail(users, 2, "bo")
    for _ in range(2):
        with pytest.raises(PinTooShortError, match="6 digits or more"):
            users.sign_in("bo", "8305")
    for new, words in (("619", "6 to 64"), ("111111", "easy")):
        with pytest.raises(SignInError, match=words):
            users.change_pin("bo", "8305", new)
    assert users.change_pin("bo", "8305", "619438") == short
    assert users.sign_in("bo", "619438") == short
    with pytest.raises(SignInError, match="wrong"):
        users.sign_in("bo", "8305")
    done = [(act.action, act.details.get("reason")) for act in acts(db) if act.user_id == "bo"]
    assert done[2:-1] == [
        *[(AuditAction.SIGN_IN_FAILED, "pin-too-short")] * 2,
        (AuditAction.PIN_CHANGED, None),
        (AuditAction.SIGNED_IN, None),
        (AuditAction.SIGNED_IN, None),
    ]


def test_own_pin_is_changed_by_who_knows_it_alone(users: Users, anna: Operator) -> None:
    with pytest.raises(SignInError, match="the old one"):
        users.change_pin("anna", PIN, PIN)
    for _ in range(2):
        with pytest.raises(SignInError, match="User or PIN is wrong"):
            users.change_pin("anna", WRONG, "830527")
    with pytest.raises(SignInError, match="Too many"):
        users.change_pin("anna", WRONG, "830527")


# ------------------------------------------------------------------------ roles and services


def test_roles_are_several_and_an_administrator_sets_them(
    db: Database, users: Users, anna: Operator
) -> None:
    users.add("bo", "Bo", CAPTURE, "830527", anna)
    bo = users.set_roles("bo", [Role.AUDIT, Role.CAPTURE, Role.AUDIT], anna)
    assert bo.roles == (Role.CAPTURE, Role.AUDIT)
    assert users.sign_in("bo", "830527") == bo == users.current("bo")
    with pytest.raises(SignInError, match="Only an administrator"):
        users.set_roles("bo", FIRST_ROLES, bo)
    with pytest.raises(SignInError, match="a role at least"):
        users.set_roles("bo", [], anna)
    with pytest.raises(SignInError, match="last administrator"):
        users.set_roles("anna", CAPTURE, anna)
    assert users.set_roles("anna", [Role.ADMINISTER], anna).roles == (Role.ADMINISTER,)
    done = [act for act in acts(db) if act.action is AuditAction.ROLES_SET]
    assert [dict(act.details) for act in done] == [
        {"user": "bo", "roles": "capture,audit"},
        {"user": "anna", "roles": "administer"},
    ]


def test_first_user_administers(db: Database, clock: FixedClock) -> None:
    users = Users(db, CIPHER, clock, cost=CHEAP)
    with pytest.raises(SignInError, match="its administrator"):
        users.add("bo", "Bo", CAPTURE, "830527", None)
    assert not users.has_any()


def test_service_account_has_no_pin_and_acts_for_one_account_of_the_system(
    db: Database, users: Users, anna: Operator
) -> None:
    importer = users.add_service("importer", "Importer", "integration", anna)
    assert (importer.roles, importer.is_service) == (CAPTURE, True)
    assert users.service_of("integration") == importer
    assert users.service_of("root") is None
    assert users.list() == (anna,)  # nobody chooses it at the lock
    for pin in ("", PIN):
        with pytest.raises(SignInError, match="User or PIN is wrong"):
            users.sign_in("importer", pin)
    for act in (
        partial(users.reset_pin, "importer", "830527", anna),
        partial(users.set_roles, "importer", FIRST_ROLES, anna),
        partial(users.add_service, "another", "Another", " ", anna),
        partial(users.add_service, "third", "Third", "x", importer),
    ):
        with pytest.raises(SignInError):
            act()
    users.remove("importer", anna)
    assert users.service_of("integration") is None
    added = [act for act in acts(db) if act.details.get("added") == "importer"]
    assert [act.details["service"] for act in added] == ["yes"]


def test_what_each_role_may() -> None:
    allowed = {role: {act for act in Act if may(Operator("x", "X", (role,)), act)} for role in Role}
    assert allowed == {
        Role.CAPTURE: {Act.READ_PATIENTS, Act.TAKE_PICTURES, Act.STEER_DELIVERY},
        Role.CORRECT: {
            Act.READ_PATIENTS,
            Act.DELETE_OF_OTHERS,
            Act.STEER_DELIVERY,
            Act.SETTLE_MERGE,
            Act.DISCARD_RECEIVED,
        },
        Role.ADMINISTER: {
            Act.READ_PATIENTS,
            Act.DELETE_OF_OTHERS,
            Act.STEER_DELIVERY,
            Act.KEEP_USERS,
            Act.DISCARD_RECEIVED,
            Act.RETIRE_ARCHIVE,
            Act.SET_UP_SCANNER,
            Act.SET_UP_CAMERAS,
            Act.SETTLE_MERGE,
        },
        Role.AUDIT: {Act.READ_TRAIL},
    }
    assert not any(may(Operator("x", "X"), act) for act in Act)


# -------------------------------------------------------------------------- what administrators do


@pytest.fixture
def bo(users: Users, anna: Operator) -> Operator:
    return users.add("bo", "Bo", CAPTURE, "830527", anna)


def test_reset_pin_is_the_only_one_that_opens(users: Users, anna: Operator, bo: Operator) -> None:
    users.reset_pin(" Bo ", "619438", anna)
    assert users.sign_in("bo", "619438") == bo
    with pytest.raises(SignInError, match="wrong"):
        users.sign_in("bo", "830527")
    users.reset_pin("anna", "619438", anna)  # their own, too
    assert users.sign_in("anna", "619438") == anna


def test_reset_pin_ends_the_wait_in_every_process(
    db: Database, users: Users, clock: FixedClock, anna: Operator, bo: Operator
) -> None:
    window = Users(db, CIPHER, clock, cost=CHEAP)
    assert fail(window, 5, "bo").startswith("Too many wrong PINs.")
    users.reset_pin("bo", "619438", anna)
    assert window.sign_in("bo", "619438") == bo
    assert fail(window, 2, "bo") == "User or PIN is wrong."


def test_removed_user_is_gone_but_the_id_is_not_given_again(
    db: Database, users: Users, anna: Operator, bo: Operator, clock: FixedClock
) -> None:
    users.remove("bo", anna)
    assert users.list() == (anna,)
    for pin in ("830527", WRONG):
        with pytest.raises(SignInError, match=r"^User or PIN is wrong\.$"):
            users.sign_in("bo", pin)
    with pytest.raises(SignInError, match="choose another"):
        users.add("bo", "Bo the second", CAPTURE, "830527", anna)
    for act in (partial(users.remove, "bo", anna), partial(users.reset_pin, "bo", "619438", anna)):
        with pytest.raises(SignInError, match="There is no user bo"):
            act()
    assert users.list() == (anna,)
    row = UserTable(db, CIPHER, clock).row(db.read(), "bo")
    assert isinstance(row, UserRecord)
    assert (row.display_name, row.removed_by) == ("Bo", "anna")


def test_last_administrator_cannot_be_removed(users: Users, anna: Operator, bo: Operator) -> None:
    with pytest.raises(SignInError, match="last administrator"):
        users.remove("anna", anna)
    eve = users.add("eve", "Eve", FIRST_ROLES, "830527", anna)
    users.remove("anna", anna)
    assert users.has_any()
    assert users.list() == (bo, eve)
    with pytest.raises(SignInError, match="last administrator"):
        users.remove("eve", eve)


def test_only_who_is_an_administrator_now_administers(
    users: Users, anna: Operator, bo: Operator
) -> None:
    eve = users.add("eve", "Eve", FIRST_ROLES, "830527", anna)
    users.remove("anna", eve)
    claims = Operator("bo", "Bo", FIRST_ROLES)  # the table says otherwise
    for by in (anna, bo, claims, Operator("nobody", "N", FIRST_ROLES)):
        for act in (
            partial(users.add, "new", "New", FIRST_ROLES, "830527", by),
            partial(users.reset_pin, "eve", "619438", by),
            partial(users.remove, "bo", by),
        ):
            with pytest.raises(SignInError, match="Only an administrator"):
                act()
    assert users.list() == (bo, eve)
    assert users.sign_in("eve", "830527") == eve


def test_new_pin_is_as_good_as_a_first_one(users: Users, anna: Operator, bo: Operator) -> None:
    for pin in ("27491", "123456", "000000", "7" * 65):
        with pytest.raises(SignInError, match="PIN"):
            users.reset_pin("bo", pin, anna)
    assert users.sign_in("bo", "830527") == bo


def test_what_administrators_did_is_in_the_trail_and_refusals_change_nothing(
    db: Database, users: Users, anna: Operator, bo: Operator
) -> None:
    users.reset_pin("bo", "619438", anna)
    users.remove("bo", anna)
    with pytest.raises(SignInError, match="last administrator"):
        users.remove("anna", anna)
    with pytest.raises(SignInError, match="wrong"):
        users.sign_in("bo", "619438")
    assert [(act.action, act.user_id, dict(act.details)) for act in acts(db)[2:]] == [
        (AuditAction.PIN_RESET, "anna", {"user": "bo"}),
        (AuditAction.USER_REMOVED, "anna", {"user": "bo"}),
        (AuditAction.SIGN_IN_FAILED, "bo", {"reason": "removed-user"}),
    ]
    assert verify_chain(db.read(), cipher=CIPHER).whole
    assert not any("619438" in str(act) or "830527" in str(act) for act in acts(db))


def test_act_without_its_place_in_the_trail_is_not_done(
    db: Database, users: Users, anna: Operator, bo: Operator
) -> None:
    """One transaction: a trail that takes no row takes no act either."""
    no_row = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"
    db.read().execute(no_row)
    for act in (partial(users.remove, "bo", anna), partial(users.reset_pin, "bo", "619438", anna)):
        with pytest.raises(sqlite3.IntegrityError, match="full"):
            act()
    db.read().execute("DROP TRIGGER full")
    assert users.list() == (anna, bo)
    assert users.sign_in("bo", "830527") == bo
