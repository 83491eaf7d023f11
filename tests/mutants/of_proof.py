"""Faults of proof: something else is taken for the archive's word about an image."""

from tests.mutants.mutant import Mutant

_ASSOCIATION = "capture_app/net/dicom/association.py"
_COMMITMENT = "capture_app/archive/commitment.py"
_QUERY = "capture_app/archive/query.py"
_PROOF = "capture_app/archive/proof.py"
_OUTCOMES = "capture_app/archive/outcomes.py"
_STOW = "capture_app/archive/stow.py"

_ANSWERS = ("tests/unit/net/test_answers.py",)
_TRANSACTIONS = ("tests/unit/archive/test_transactions.py",)
_FILED = (
    "tests/contract/test_archive_dimse.py::test_where_an_image_is_filed_is_what_the_matches_say",
)
_COMMITTED = "tests/contract/test_archive_commitment.py"
_BAD = "tests/faults/test_bad_archives.py"
_NO_KIND = "tests/faults/test_answers_of_no_kind.py"
_BAD_WEB = "tests/faults/test_bad_web_archives.py"

PROOF = (
    Mutant(
        "any-message-id-is-ours",
        _ASSOCIATION,
        "            and message.responds_to == self.message_id\n",
        "",
        _ANSWERS,
        quick=True,
    ),
    Mutant(
        "an-echo-answers-a-store",
        _ASSOCIATION,
        "            and message.field == self.field | IS_RESPONSE\n",
        "",
        _ANSWERS,
        quick=True,
    ),
    Mutant(
        "a-store-of-another-instance-answers",
        _ASSOCIATION,
        '            and message.affected_sop_instance_uid in {"", self.sop_instance_uid}\n',
        "",
        _ANSWERS,
    ),
    Mutant(
        "any-transaction-confirms",
        _COMMITMENT,
        "transaction = self._open.get(uid)",
        "transaction = next(iter(self._open.values()), None)",
        _TRANSACTIONS,
        quick=True,
    ),
    Mutant(
        "any-archive-answers-a-transaction",
        _COMMITMENT,
        " or transaction.ae_title != report.ae_title",
        "",
        _TRANSACTIONS,
    ),
    Mutant(
        "a-promise-for-another-class-counts",
        _COMMITMENT,
        "is_ours = str(item.ReferencedSOPClassUID) == self.sop_classes.get(uid)",
        "is_ours = uid in self.sop_classes",
        _TRANSACTIONS,
    ),
    Mutant(
        "commitment-is-asked-for-once-only",
        _COMMITMENT,
        "if now - transaction.asked_at > _ASK_ANEW_AFTER_SECONDS",
        "if False",
        (
            f"{_COMMITTED}::test_an_archive_that_forgot_the_request_is_asked_again_after_ten_minutes",
        ),
    ),
    Mutant(
        "filed-where-it-was-asked-for",
        _QUERY,
        "return _Match(where,",
        "return _Match(study or where,",
        _FILED,
    ),
    Mutant(
        "filing-anywhere-is-enough",
        _QUERY,
        "                if refusal := contradiction(self._name, instance, identity):\n"
        "                    return refusal\n",
        "                if contradiction(self._name, instance, identity) is None:\n"
        "                    return None\n",
        _FILED,
    ),
    Mutant(
        "filed-under-any-patient",
        "capture_app/archive/identity.py",
        "        held.patient_id != instance.patient_id.strip()\n        or ",
        "        ",
        ("tests/unit/archive/test_identity.py",),
        quick=True,
    ),
    Mutant(
        "pixels-of-another-patient-prove",
        _PROOF,
        "if refusal := contradiction(self._name, instance, held.identity):",
        "if refusal := None:",
        (f"{_BAD_WEB}::test_an_archive_that_gives_back_something_else_proves_nothing",),
    ),
    Mutant(
        "pixels-read-in-any-layout-prove",
        _PROOF,
        " and instance.pixel_layout in (None, held.layout)",
        "",
        (f"{_BAD_WEB}::test_the_same_pixels_to_be_read_otherwise_are_another_picture",),
    ),
    Mutant(
        "what-trails-the-pixels-is-ignored",
        "capture_app/dicom/part10.py",
        "memoryview(value)[:size] if is_padded else value",
        "memoryview(value)[:size]",
        (f"{_BAD_WEB}::test_an_image_with_something_behind_its_pixels_is_another_one",),
    ),
    Mutant(
        "a-clip-that-breaks-off-is-proved",
        "capture_app/archive/held_clip.py",
        "if not self._is_over or not is_end:",
        "if False:",
        ("tests/unit/archive/test_held_clip.py",),
        quick=True,
    ),
    Mutant(
        "half-of-a-clips-frames-is-proof-enough",
        "capture_app/archive/held_clip.py",
        "self._digest.update(both[:-3])",
        "self._digest.update(both[: len(both) // 2])",
        ("tests/unit/archive/test_held_clip.py",),
    ),
    Mutant(
        "a-deflated-answer-is-inflated",
        "capture_app/archive/held_copy.py",
        "if not is_native and (",
        "if False and (",
        (f"{_BAD_WEB}::test_what_would_unpack_to_a_flood_is_refused_before_it_is_unpacked",),
    ),
    Mutant(
        "only-A700-of-A7xx-is-tried-again",
        _OUTCOMES,
        "passes = 0xA700 <= status <= 0xA7FF or",
        "passes = status == 0xA700 or",
        ("tests/unit/archive/test_outcomes.py",),
        quick=True,
    ),
    Mutant(
        "any-status-below-C000-is-stored",
        _OUTCOMES,
        "if status == 0x0000 or 0xB000 <= status <= 0xBFFF:",
        "if status <= 0xBFFF:",
        (f"{_BAD}::test_each_image_gets_the_archives_own_word_for_it",),
    ),
    Mutant(
        "a-good-http-status-is-stored",
        _STOW,
        '        return TransientDeliveryError(Reason.of("not-named", name=self._name))\n',
        "        return StoreReceipt(instance.sop_instance_uid, SUCCESS)\n",
        (f"{_BAD_WEB}::test_a_web_answer_that_names_nothing_is_no_success",),
    ),
    Mutant(
        "a-bad-status-stores-what-it-names",
        _STOW,
        "        if not is_good and answer.status not in _NAMING:\n",
        "        if False:\n",
        (f"{_BAD_WEB}::test_what_counts_is_what_a_web_answer_names",),
    ),
    Mutant(
        "who-names-nothing-is-sent-it-for-ever",
        _STOW,
        "if isinstance(outcome, ProofReceipt | RefusedDeliveryError):",
        "if False:",
        (
            f"{_BAD_WEB}::test_an_archive_that_names_nothing_is_asked_before_the_image_is_sent_again",
        ),
    ),
    Mutant(
        "any-universal-id-is-ours",
        "capture_app/archive/identity.py",
        "        or _differ(held.universal_entity_id, _universal_id_sent(instance))\n",
        "",
        ("tests/unit/archive/test_identity.py",),
    ),
    Mutant(
        "a-failure-without-a-reason-is-kept",
        _COMMITMENT,
        "reason or _PROCESSING_FAILURE",
        "reason",
        _TRANSACTIONS,
    ),
    Mutant(
        "what-trails-a-stream-is-ignored",
        "capture_app/dicom/part10.py",
        'return stream[:length] if bytes(stream[length:]) == b"\\x00" * (length % 2) else stream',
        "return stream[:length]",
        (f"{_BAD_WEB}::test_an_image_with_something_behind_its_pixels_is_another_one",),
    ),
    Mutant(
        "an-answer-that-was-cut-is-whole",
        _QUERY,
        'on_cut=lambda: wrong.append("cut")',
        "on_cut=None",
        (f"{_NO_KIND}::test_an_archive_that_heeds_no_key_is_read_to_its_end_or_not_believed",),
    ),
    Mutant(
        "a-second-transfer-syntax-is-read",
        "capture_app/archive/held_copy.py",
        "    meta = _meta(part10)\n",
        "    from pydicom import dcmread\n\n    meta = dcmread(BytesIO(part10)).file_meta\n",
        (f"{_NO_KIND}::test_the_transfer_syntax_that_was_looked_at_is_the_one_that_is_read",),
    ),
)
