"""Faults of delivery: an image is lost, given up, purged too early, or sent as another."""

from tests.mutants.mutant import Mutant

_BATCH = "capture_app/outbox/delivery/batch.py"
_TASKS = "capture_app/outbox/steps/tasks.py"
_RETAIN = "capture_app/outbox/steps/retain.py"
_DESTINATIONS = "capture_app/outbox/destinations.py"
_COMMITTED = "tests/contract/test_archive_commitment.py"
_ARCHIVES = "tests/unit/outbox/test_destinations.py"
_NO_KIND = "tests/faults/test_answers_of_no_kind.py"
_DAMAGE = "tests/unit/outbox/test_damage.py"
_ANCHOR = "tests/unit/audit/test_anchor.py"
_ENGINE = "tests/unit/outbox/test_engine.py"
_PROMISES = "tests/unit/outbox/test_promises.py"

DELIVERY = (
    Mutant(
        "an-attempt-that-reached-nobody-counts",
        "capture_app/outbox/steps/tasks.py",
        "if error is not None and error.reached_nobody:",
        "if False:",
        ("tests/unit/outbox/test_hindrance.py",),
    ),
    Mutant(
        "an-association-that-broke-off-reached-nobody",
        "capture_app/archive/one_by_one.py",
        "            if not is_open:\n                error.reached_nobody = True\n",
        "            error.reached_nobody = True\n",
        ("tests/faults/test_reached_nobody.py",),
    ),
    Mutant(
        "an-instance-is-opened-without-its-uid",
        _BATCH,
        "proved_content(path, self.spool.cipher, uid=uid)",
        "proved_content(path, self.spool.cipher)",
        (_PROMISES,),
        quick=True,
    ),
    Mutant(
        "gives-up-after-ten-tries",
        _BATCH,
        "            delay = backoff(task.failures + 1)\n",
        "            if task.failures >= 10:\n"
        "                self._needs_you(task, error.reason)\n"
        "                return\n"
        "            delay = backoff(task.failures + 1)\n",
        (_PROMISES,),
    ),
    Mutant(
        "a-listing-is-custody",
        _BATCH,
        "case ProofReceipt(kind=ProofKind.LISTED):",
        "case ProofReceipt(kind=ProofKind.LISTED) if False:",
        (f"{_ENGINE}::test_listed_stays_listed_and_is_asked_again",),
    ),
    Mutant(
        "no-word-of-an-image-is-a-success",
        _BATCH,
        'self._settle(task, TransientDeliveryError(Reason("no-answer")), state)',
        "self._settle(task, StoreReceipt(uid, 0), state)",
        (f"{_ENGINE}::test_no_word_of_an_image_is_no_success",),
    ),
    Mutant(
        "what-the-archive-lost-is-not-sent-again",
        _BATCH,
        "elif tasks.resends_of(self.spool, task) < MOST_RESENDS:",
        "elif False:",
        (f"{_ENGINE}::test_an_archive_that_lost_it_gets_the_same_bytes_again",),
    ),
    Mutant(
        "a-restart-forgets-what-an-archive-fell-silent-at",
        _BATCH,
        "due=due, error=error, listed=listed, is_suspect=is_suspect",
        "due=due, error=error, listed=listed",
        (f"{_ENGINE}::test_a_restart_does_not_forget_at_which_image_the_archive_fell_silent",),
    ),
    Mutant(
        "a-step-is-claimed-whatever-its-state",
        _TASKS,
        "\"WHERE task_id = ?1 AND state = 'queued'\",",
        '"WHERE task_id = ?1",',
        (_PROMISES,),
        quick=True,
    ),
    Mutant(
        "what-a-person-holds-back-goes",
        _TASKS,
        "\"WHERE task_id = ?1 AND state = 'held' AND held_by_person = 0\",",
        "\"WHERE task_id = ?1 AND state = 'held'\",",
        (_PROMISES,),
    ),
    Mutant(
        "days-are-counted-from-the-first-archive",
        _TASKS,
        "    if unproved or not proved:\n",
        "    if not proved:\n",
        (_PROMISES,),
    ),
    Mutant(
        "purged-before-the-commit",
        _RETAIN,
        "        for task_id, uid, _, capture_id, _, exam_id, patient_key,",
        "        for row in rows:\n"
        "            remove_file(spool.instances / row[2])\n"
        "        for task_id, uid, _, capture_id, _, exam_id, patient_key,",
        (_PROMISES,),
    ),
    Mutant(
        "purged-by-a-listing",
        _RETAIN,
        "\"AND step.proof NOT IN ('pixel-hash', 'storage-commitment')))) \"",
        '"AND 0))) "',
        (_PROMISES,),
    ),
    Mutant(
        "purged-before-its-days-are-over",
        "capture_app/outbox/counted_time.py",
        "    return now - since + _ROUNDING_S >= wanted.total_seconds()\n",
        "    return True\n",
        ("tests/unit/outbox/test_counted_time.py",),
    ),
    Mutant(
        "the-next-act-signs-a-head-that-was-changed",
        "capture_app/audit/chain.py",
        "is_ours and mac == head_mac(cipher, head)",
        "is_ours",
        ("tests/unit/audit/test_trail.py",),
    ),
    Mutant(
        "a-folder-that-was-put-back-is-whole",
        "capture_app/audit/anchor.py",
        "if row is not None and row[0] == anchor.last_hash:",
        "if True:",
        ("tests/unit/audit/test_anchor.py",),
    ),
    Mutant(
        "a-commit-error-discards-the-file",
        "capture_app/outbox/spool.py",
        "            if not committing:\n                discard_staged(staged)\n",
        "            discard_staged(staged)\n",
        (_PROMISES,),
    ),
    Mutant(
        "a-broken-mark-is-cleared-without-a-look",
        "capture_app/outbox/acts.py",
        "                verify_sealed(path, spool.cipher, uid=uid)\n        except StoreError:\n",
        "                pass\n        except StoreError:\n",
        (_PROMISES,),
    ),
    Mutant(
        "a-broken-file-is-sent-again-at-start",
        "capture_app/outbox/recovery/start_up.py",
        "            verify_sealed(spool.instances / file, spool.cipher, uid=uid)\n",
        "            pass\n",
        (_PROMISES,),
    ),
    Mutant(
        "a-broken-picture-is-whole-at-start",
        "capture_app/outbox/recovery/start_up.py",
        "            verify_sealed(spool.captures / file, spool.cipher, uid=capture_id)\n",
        "            pass\n",
        (_PROMISES,),
    ),
    Mutant(
        "one-forbidden-image-stops-all",
        "capture_app/model/reason.py",
        'BROKEN_OFF | {"forbidden", "redirected", "too-long"}',
        "BROKEN_OFF",
        (f"{_NO_KIND}::test_what_one_image_is_refused_takes_no_other_with_it",),
    ),
    Mutant(
        "a-fault-at-one-image-is-of-all",
        "capture_app/archive/one_by_one.py",
        "            if not is_open:\n                raise\n            _log",
        "            if True:\n                raise\n            _log",
        (f"{_NO_KIND}::test_a_fault_of_ours_at_one_image_stops_that_one_alone",),
    ),
    Mutant(
        "what-may-be-why-a-request-failed-is-asked-for-with-others",
        "capture_app/archive/commitment.py",
        "                    self._alone.add(instance.sop_instance_uid)\n",
        "",
        (f"{_COMMITTED}::test_an_image_for_which_a_request_is_refused_takes_no_other_with_it",),
    ),
    Mutant(
        "an-archive-that-came-back-takes-nothing",
        _DESTINATIONS,
        "\"WHERE task.state = 'withdrawn'\",",
        '"WHERE 0",',
        (f"{_ARCHIVES}::test_an_archive_that_came_back_takes_images_again",),
    ),
    Mutant(
        "what-is-held-goes-to-the-next-archive",
        _DESTINATIONS,
        "(TaskState.HELD, held) if held else (TaskState.QUEUED, (0,))",
        "(TaskState.QUEUED, (0,))",
        (f"{_ARCHIVES}::test_what_a_person_holds_back_is_held_at_the_next_archive_too",),
    ),
    Mutant(
        "a-retired-archive-is-asked-for-proof",
        _TASKS,
        "\"WHERE task_id = ?1 AND state <> 'withdrawn'\",\n        (task.task_id, proof or",
        '"WHERE task_id = ?1",\n        (task.task_id, proof or',
        (f"{_ARCHIVES}::test_what_was_under_way_when_its_archive_was_retired_asks_nothing_of_it",),
    ),
    Mutant(
        "what-is-read-from-its-file-is-nobodys",
        _TASKS,
        "        return replace(identity.instance, patient=identity.patient), file\n",
        "        return identity.instance, file\n",
        (f"{_DAMAGE}::test_an_instance_whose_cell_is_damaged_is_sent_by_what_its_file_says",),
    ),
    Mutant(
        "as-many-broken-rows-are-the-same",
        "capture_app/audit/verify.py",
        "tuple(seq for seq in self.broken if seq not in self.told)",
        "self.broken[len(self.told) :]",
        (f"{_ANCHOR}::test_other_rows_than_those_that_were_told_are_told_too",),
    ),
    Mutant(
        "who-is-let-go-is-no-suspect",
        "capture_app/outbox/delivery/schedule.py",
        "elif entry.task.is_held and not task.is_held:\n"
        "                    entry = _Entry(task, now, is_suspect=entry.is_suspect)",
        "elif entry.task.is_held and not task.is_held:\n"
        "                    entry = _Entry(task, now)",
        ("tests/unit/outbox/test_schedule.py",),
    ),
    Mutant(
        "a-password-in-a-file-is-ascii",
        "capture_app/security/keys.py",
        'encoding="utf-8-sig", errors="replace"',
        'encoding="ascii", errors="replace"',
        ("tests/unit/security/test_keys.py",),
    ),
    Mutant(
        "a-port-is-not-had-without-a-cause",
        "capture_app/net/listener.py",
        "reason=error.strerror or type(error).__name__,",
        "reason=type(error).__name__,",
        ("tests/unit/net/test_listener.py",),
    ),
)
