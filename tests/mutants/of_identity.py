"""Faults of identity: a scan, a list, a feed or a question takes one patient for another."""

from tests.mutants.mutant import Mutant

_SECOND = "capture_app/exam/second_identifier.py"
_STANDING = "capture_app/exam/standing.py"
_SCAN = "capture_app/patients/finding/scan.py"
_LIST = "capture_app/patients/finding/patient_list.py"
_NUMBERS = "capture_app/patients/sources/adt/numbers.py"
_RECEIVER = "capture_app/patients/sources/adt/receiver.py"
_FOLD = "capture_app/patients/census/fold.py"
_SEQUENCE = "capture_app/patients/census/sequence.py"

_TESTED_SECOND = ("tests/unit/exam/test_second_identifier.py",)
_TESTED_STANDING = ("tests/unit/exam/test_standing.py",)
_TESTED_SCAN = ("tests/unit/patients/test_scan.py",)
_TESTED_CENSUS = ("tests/unit/patients/test_census.py",)
_TESTED_FOLD = ("tests/unit/patients/test_fold.py",)
_SCRIPTS = "tests/unit/patients/test_feed_scripts.py"
_TESTED_SCRIPTS = (f"{_SCRIPTS}::test_a_script_ends_with_the_right_value_and_so_after_a_restart",)
_TESTED_ADT = ("tests/unit/patients/test_adt.py", "tests/unit/patients/test_reading.py")

IDENTITY = (
    Mutant(
        "any-year-of-birth-is-right",
        _SECOND,
        "        and (not question.year or _is_year(patient, answer.year))\n",
        "",
        _TESTED_SECOND,
    ),
    Mutant(
        "any-initials-are-right",
        _SECOND,
        "(not question.initials or fits(patient.name, answer.initials))",
        "True",
        _TESTED_SECOND,
    ),
    Mutant(
        "twins-are-not-told-apart",
        _SECOND,
        "if initials and year and not alike:",
        "if initials and year:",
        _TESTED_SECOND,
    ),
    Mutant(
        "nobody-is-asked-who-is-there",
        _STANDING,
        "    asks = changed if len(changed) >= _TWO else ()\n",
        "    asks: tuple[WordingPart, ...] = ()\n",
        _TESTED_STANDING,
        quick=True,
    ),
    Mutant(
        "a-cancelled-visit-stops-nothing",
        _STANDING,
        "(Stop.VISIT_CANCELLED, state is EncounterState.CANCELLED)",
        "(Stop.VISIT_CANCELLED, False)",
        _TESTED_STANDING,
    ),
    Mutant(
        "an-exam-moves-to-another-number",
        _STANDING,
        "return replace(newest, patient_id=frozen.patient_id)",
        "return newest",
        _TESTED_STANDING,
    ),
    Mutant(
        "a-row-opens-whoever-has-the-number-now",
        _STANDING,
        "    _require_shown(entry.patient, now.patient)\n",
        "",
        _TESTED_STANDING,
    ),
    Mutant(
        "drafts-open-whoever-has-the-number-now",
        _STANDING,
        "    _require_shown(shown, patient)\n",
        "",
        ("tests/unit/exam/test_whose_drafts.py",),
    ),
    Mutant(
        "who-was-identified-is-known-by-number-alone",
        "capture_app/ui/patients/last_identified.py",
        " or is_somebody_else(then, patient)",
        "",
        ("tests/ui/test_whose.py",),
    ),
    Mutant(
        "an-order-that-became-another-patients-is-still-ours",
        "capture_app/exam/doubted_orders.py",
        "own.isdisjoint({*orders_of_others, *shared})",
        "own.isdisjoint({*shared})",
        ("tests/unit/exam/test_shared.py",),
    ),
    Mutant(
        "an-order-in-doubt-is-forgotten",
        "capture_app/exam/doubted_orders.py",
        "        doubted_orders.note_order_doubted(self._outbox.spool, exam)\n",
        "",
        ("tests/unit/exam/test_leave_order.py",),
    ),
    Mutant(
        "an-order-that-was-left-is-sealed",
        "capture_app/outbox/sealing/seal.py",
        "return now if now.is_without_order_of(frozen) else frozen",
        "return frozen",
        ("tests/unit/exam/test_leave_order.py",),
    ),
    Mutant(
        "a-row-gives-a-picture-to-any-exam",
        "capture_app/outbox/sealing/seal.py",
        "return now if now.is_without_order_of(frozen) else frozen",
        "return now",
        ("tests/unit/exam/test_leave_order.py",),
    ),
    Mutant(
        "an-order-in-doubt-is-sent-all-the-same",
        "capture_app/outbox/delivery/batch.py",
        "frozenset(unbegun.answered) - UNANSWERABLE",
        "frozenset(unbegun.answered)",
        ("tests/unit/outbox/test_hindrance.py",),
    ),
    Mutant(
        "another-patients-order-is-taken",
        "capture_app/exam/beginning.py",
        "if order is not None and order not in entry.orders:",
        "if False:",
        ("tests/unit/exam/test_session.py",),
    ),
    Mutant(
        "a-scan-opens-an-alias",
        _LIST,
        "return tuple(entry for entry in shown if number.is_of(entry.patient.patient_id))",
        "return tuple(shown)",
        _TESTED_CENSUS,
    ),
    Mutant(
        "a-retired-number-opens-somebody",
        _LIST,
        " for key in holders if key not in self._retired",
        " for key in holders",
        ("tests/unit/patients/test_feed_doubts.py",),
    ),
    Mutant(
        "a-band-of-any-hospital-opens",
        _SCAN,
        "        return self.authority in known\n",
        "        return True\n",
        _TESTED_SCAN,
    ),
    Mutant(
        "a-check-digit-proves-nothing",
        _SCAN,
        "if not is_right or not is_proven(number, pattern.check_digit):",
        "if not is_right:",
        _TESTED_SCAN,
    ),
    Mutant(
        "a-code-of-two-authorities-is-somebodys",
        _SCAN,
        "return found.pop() if len(found) == 1 else Unread.TWO_AUTHORITIES",
        "return found.pop()",
        _TESTED_SCAN,
    ),
    Mutant(
        "an-order-of-another-person-joins",
        _LIST,
        "            and not contradicts(item, self._patients[key].patient)\n",
        "",
        ("tests/unit/patients/test_census_worklist.py",),
    ),
    Mutant(
        "the-first-of-two-numbers-is-taken",
        _NUMBERS,
        "if len(distinct) > 1:",
        "if False:",
        _TESTED_ADT,
    ),
    Mutant(
        "a-number-of-any-authority-is-ours",
        _NUMBERS,
        "ours = [n for n in numbers if not wanted or wanted in {n.issuer, n.universal_id}]",
        "ours = list(numbers)",
        _TESTED_ADT,
    ),
    Mutant(
        "who-loses-a-visit-keeps-it",
        _FOLD,
        "visits, said = moved_away(known.visits, prior, placed)",
        "visits = known.visits",
        ("tests/unit/patients/test_moves.py",),
    ),
    Mutant(
        "a-visit-that-cannot-be-read-moves",
        "capture_app/patients/sources/adt/moving.py",
        "if event in _OF_A_VISIT and is_unreadable:",
        "if False:",
        ("tests/unit/patients/test_moves.py",),
    ),
    Mutant(
        "one-patient-swaps-beds-alone",
        "capture_app/patients/census/census.py",
        "            self._folding.require_two(events)\n",
        "",
        ("tests/unit/patients/test_moves.py",),
    ),
    Mutant(
        "noise-ends-the-mark-of-a-merge",
        "capture_app/patients/census/dead_letters.py",
        "ORDER BY is_merge, dead_letter_id",
        "ORDER BY dead_letter_id",
        ("tests/unit/patients/test_intake.py",),
    ),
    Mutant(
        "a-cancel-undoes-what-came-after-it",
        _SEQUENCE,
        "first.order.sender != second.order.sender and first.arrival < second.arrival",
        "first.arrival < second.arrival",
        ("tests/unit/patients/test_feed_doubts.py",),
    ),
    Mutant(
        "a-test-message-is-a-patient",
        _RECEIVER,
        "if header.msh.text(11) != self._processing_id:",
        "if False:",
        ("tests/unit/patients/test_adt.py",),
    ),
    Mutant(
        "accepted-before-it-is-stored",
        _RECEIVER,
        "return build_ack(header, AckOutcome.ERROR, Refusal(str(error)), self._clock)",
        "return build_ack(header, AckOutcome.ACCEPTED, None, self._clock)",
        _TESTED_CENSUS,
    ),
    Mutant(
        "a-name-that-is-left-out-is-deleted",
        _FOLD,
        "name=facts.name or patient.name,",
        "name=facts.name or PersonName(NameGroup()),",
        _TESTED_FOLD,
    ),
    Mutant(
        "who-says-less-of-a-number-takes-away",
        _FOLD,
        "_completed(number, [known]),\n        name",
        "number,\n        name",
        _TESTED_FOLD,
    ),
    Mutant(
        "what-came-last-counts",
        _SEQUENCE,
        "return tuple(sorted(placed, key=lambda each: (each.at, each.event.arrival)))",
        "return tuple(placed)",
        _TESTED_FOLD,
    ),
    Mutant(
        "a-cancel-undoes-another-movement",
        _SEQUENCE,
        "if cancel.event.order.movements:  # it says which: no other is meant",
        "if False:",
        _TESTED_SCRIPTS,
    ),
)
