"""Faults of rights: somebody does what their roles do not allow, or a child what it may not."""

from tests.mutants.mutant import Mutant

_WALLS = "tests/faults/test_sandbox.py"
_PROMISES = "tests/unit/outbox/test_promises.py"
_SENDS = (f"{_PROMISES}::test_who_takes_no_pictures_describes_and_sends_none",)
_TAKEN_BACK = ("tests/unit/outbox/test_call_back.py::test_who_may_not_steer_takes_nothing_back",)
_ROLES = ("tests/unit/security/test_users.py::test_what_each_role_may",)
_ARCHIVES = "tests/unit/outbox/test_destinations.py"

RIGHTS = (
    Mutant(
        "anybody-settles-a-merge",
        "capture_app/patients/census/merges.py",
        "        require(operator, Act.SETTLE_MERGE)\n",
        "",
        ("tests/ui/test_merges.py",),
    ),
    Mutant(
        "anybody-sends",
        "capture_app/outbox/sealing/seal.py",
        "    require(operator, Act.TAKE_PICTURES)\n",
        "",
        _SENDS,
    ),
    Mutant(
        "anybody-describes",
        "capture_app/outbox/keeping/drafts.py",
        "    require(operator, Act.TAKE_PICTURES)\n",
        "",
        _SENDS,
    ),
    Mutant(
        "anybody-steers",
        "capture_app/outbox/acts.py",
        "    require(operator, Act.STEER_DELIVERY)\n",
        "",
        _SENDS,
    ),
    Mutant(
        "anybody-retires-an-archive",
        "capture_app/outbox/destinations.py",
        "    require(operator, Act.RETIRE_ARCHIVE)\n",
        "",
        (f"{_ARCHIVES}::test_who_may_not_steer_or_retire_changes_nothing",),
    ),
    Mutant(
        "anybody-calls-back",
        "capture_app/outbox/sealing/withdraw.py",
        "    require(operator, Act.STEER_DELIVERY)\n    uids =",
        "    uids =",
        _TAKEN_BACK,
    ),
    Mutant(
        "anybody-undoes-a-send",
        "capture_app/outbox/sealing/withdraw.py",
        "    require(operator, Act.STEER_DELIVERY)\n    with",
        "    with",
        _TAKEN_BACK,
    ),
    Mutant(
        "administrators-read-the-trail",
        "capture_app/model/operator.py",
        "Act.READ_TRAIL: frozenset({Role.AUDIT}),",
        "Act.READ_TRAIL: frozenset({Role.AUDIT, Role.ADMINISTER}),",
        _ROLES,
    ),
    Mutant(
        "correctors-keep-users",
        "capture_app/model/operator.py",
        "Act.KEEP_USERS: frozenset({Role.ADMINISTER}),",
        "Act.KEEP_USERS: frozenset({Role.ADMINISTER, Role.CORRECT}),",
        _ROLES,
    ),
    Mutant(
        "a-child-gives-back-more-than-its-rule",
        "capture_app/sandbox/memory.py",
        "not 0 < length <= rule.most_bytes",
        "not 0 < length",
        (f"{_WALLS}::test_a_lie_is_believed_by_nobody",),
    ),
    Mutant(
        "a-child-cuts-files-short",
        "capture_app/sandbox/seccomp.py",
        '    "truncate": 76,\n',
        "",
        (f"{_WALLS}::test_where_landlock_is_old_or_missing_no_file_is_lost_and_no_process_ended",),
    ),
    Mutant(
        "a-child-empties-files-as-it-opens-them",
        "capture_app/sandbox/seccomp.py",
        "_CREATE_OR_TRUNCATE: Final = 0o100 | 0o1000\n",
        "_CREATE_OR_TRUNCATE: Final = 0o100000\n",
        (f"{_WALLS}::test_where_landlock_is_old_or_missing_no_file_is_lost_and_no_process_ended",),
    ),
)
