"""Faults of the port for scanners: an image is lost, or filed to whom it does not name."""

from tests.mutants.mutant import Mutant

_AGREEMENT = "capture_app/outbox/receiving/agreement.py"
_KEEPING = "capture_app/outbox/receiving/keeping.py"
_FILING = "capture_app/outbox/receiving/filing.py"
_SERVICE = "capture_app/exam/received.py"
_TESTED_AGREEMENT = ("tests/unit/outbox/test_agreement.py",)
_TESTED_KEEPING = ("tests/unit/outbox/test_received.py",)
_FILED = "tests/contract/test_received_filing.py"

RECEIVING = (
    Mutant(
        "an-issuer-that-is-not-said-is-equal",
        _AGREEMENT,
        '    return not (said - {""}).isdisjoint(ours - {""})\n',
        '    return not said - {""} or not said.isdisjoint(ours)\n',
        _TESTED_AGREEMENT,
    ),
    Mutant(
        "what-was-discarded-and-sent-again-is-lost",
        _KEEPING,
        "\"SELECT 1 FROM received WHERE letter = ? AND discarded_at = ''\"",
        '"SELECT 1 FROM received WHERE letter = ?"',
        _TESTED_KEEPING,
    ),
    Mutant(
        "one-of-two-under-one-uid-is-filed-by-itself",
        _SERVICE,
        "            if one.against or not one.waiting.is_alone:\n",
        "            if one.against:\n",
        (
            f"{_FILED}::test_a_correction_under_the_same_uid_is_a_letter_of_its_own_and_a_person_chooses",
        ),
    ),
    Mutant(
        "what-a-person-saw-is-not-asked",
        _FILING,
        "    if seen is not None and set(seen) != set(against):\n",
        "    if seen is not None and len(seen) > len(against):\n",
        (f"{_FILED}::test_a_person_files_what_contradicts_and_the_old_words_are_kept",),
    ),
)
