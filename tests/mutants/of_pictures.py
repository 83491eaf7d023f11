"""Faults of capture, coding and sealing: a picture of another moment, site, side or wording."""

from tests.mutants.mutant import Mutant

_DRAFTS = "capture_app/outbox/keeping/drafts.py"
_SEAL = "capture_app/outbox/sealing/seal.py"
_RULES = "capture_app/exam/rules.py"
_SESSION = "capture_app/exam/session.py"
_ATTACHED = "tests/unit/devices/test_attached.py"
_V4L2 = "tests/unit/devices/test_v4l2.py"
_PROMISES = "tests/unit/outbox/test_promises.py"
_TESTED_RULES = ("tests/unit/exam/test_rules.py",)
_TESTED_SESSION = "tests/unit/exam/test_session.py"

PICTURES = (
    Mutant(
        "a-capture-is-opened-without-its-uid",
        _DRAFTS,
        "open_identity(path, spool.cipher, uid=capture_id)",
        "open_identity(path, spool.cipher)",
        (_PROMISES,),
    ),
    Mutant(
        "a-full-disk-is-found-out-in-the-middle",
        _DRAFTS,
        "if free_bytes(folder) < needed:",
        "if False:",
        ("tests/unit/outbox/test_keep.py",),
    ),
    Mutant(
        "a-frame-from-before-the-exam-is-kept",
        _SESSION,
        "if frame.not_before < started:",
        "if False:",
        (f"{_TESTED_SESSION}::test_a_frame_from_before_the_exam_is_refused",),
        quick=True,
    ),
    Mutant(
        "after-a-lock-what-was-seen-before-is-kept",
        "capture_app/exam/session.py",
        "            self._open = (exam.exam_id, self._clock.monotonic())\n",
        "            self._open = (exam.exam_id, 0.0)\n",
        ("tests/unit/exam/test_session.py",),
    ),
    Mutant(
        "the-first-send-is-taken-back",
        "capture_app/ui/held_sends.py",
        "return self._sends[-1] if self._sends else None",
        "return self._sends[0] if self._sends else None",
        ("tests/ui/test_held_sends.py",),
    ),
    Mutant(
        "a-closed-exam-takes-pictures",
        _SESSION,
        "        started = self.require_open(exam)\n",
        "        started = self._open[1] if self._open else 0.0\n",
        (f"{_TESTED_SESSION}::test_only_the_open_exam_takes_pictures",),
    ),
    Mutant(
        "no-picture-is-ever-late",
        "capture_app/devices/exposure.py",
        "late = max(0.0, difference - self._usual)",
        "late = 0.0",
        ("tests/unit/devices/test_exposure.py",),
    ),
    Mutant(
        "one-of-two-cameras-alike-is-guessed",
        "capture_app/devices/attached.py",
        "    if len(fitting) > 1:\n",
        "    if len(fitting) > 2:\n",
        (f"{_ATTACHED}::test_which_of_two_alike_is_meant_is_never_guessed",),
        quick=True,
    ),
    Mutant(
        "another-camera-in-the-same-port-is-taken-for-ours",
        "capture_app/devices/attached.py",
        'wanted.serial in ("", self.serial)',
        "True",
        (f"{_ATTACHED}::test_a_camera_with_a_port_in_the_settings_is_not_another_at_that_port",),
    ),
    Mutant(
        "a-child-keeps-a-device-that-is-another-one-by-now",
        "capture_app/devices/child_source.py",
        "if (node := _node_at(place)) != self._node:",
        "if (node := _node_at(place)) and not self._node:",
        (f"{_V4L2}::test_a_child_is_kept_while_its_device_is_the_same_file",),
    ),
    Mutant(
        "what-was-described-anew-goes-as-it-was",
        _SEAL,
        "if row[0] != draft.cell:",
        "if row[0] is None:",
        ("tests/unit/outbox/test_seal.py",),
    ),
    Mutant(
        "pictures-of-two-patients-go-as-one",
        _SEAL,
        "if patient is not None and patient.patient_id.key != kept.exam.patient.patient_id.key:",
        "if False:",
        (f"{_PROMISES}::test_a_picture_of_somebody_else_stops_the_whole_send",),
    ),
    Mutant(
        "another-wording-is-sealed-than-was-shown",
        _SEAL,
        "                patient=draft.patient,\n",
        "",
        ("tests/ui/test_whose.py::test_a_new_name_is_shown_and_it_is_what_is_sent",),
    ),
    Mutant(
        "the-number-of-a-visit-is-that-of-the-beginning",
        _SEAL,
        "                encounter=draft.visit,\n",
        "",
        ("tests/unit/exam/test_shared.py",),
    ),
    Mutant(
        "a-withdrawn-uid-is-used-again",
        _SEAL,
        "return spool.clock.new_uid() if row else capture_id",
        "return capture_id",
        ("tests/unit/outbox/test_seal.py",),
    ),
    Mutant(
        "an-act-counts-on-what-another-window-changed",
        "capture_app/outbox/keeping/description.py",
        "if open_description(spool, capture_id, row[0])[0] != seen[capture_id]:",
        "if False:",
        (f"{_PROMISES}::test_an_act_counts_on_what_was_seen_alone",),
    ),
    Mutant(
        "no-side-is-asked-for",
        _RULES,
        "if sides and side not in sides:",
        "if False:",
        _TESTED_RULES,
        quick=True,
    ),
    Mutant(
        "any-act-at-any-site",
        _RULES,
        "not is_about(entry, region) or (side",
        "(side",
        _TESTED_RULES,
    ),
    Mutant(
        "a-side-where-the-site-has-none",
        _RULES,
        " or (side is not None and not sides):",
        ":",
        _TESTED_RULES,
    ),
    Mutant(
        "an-act-that-makes-no-sense-at-a-site",
        "capture_app/catalog/sense.py",
        "    if about is not None and kind not in about:\n",
        "    if False:\n",
        ("tests/unit/catalog/test_check.py",),
    ),
    Mutant(
        "a-side-of-a-site-without-one-is-written",
        "capture_app/dicom/modules/anatomy.py",
        "SideRule.UNPAIRED: frozenset({None})",
        "SideRule.UNPAIRED: frozenset({None, *Side})",
        ("tests/unit/dicom/test_build.py",),
    ),
    Mutant(
        "a-left-sided-organ-has-a-right",
        _RULES,
        "SideRule.LEFT_ONLY: (Side.LEFT,)",
        "SideRule.LEFT_ONLY: (Side.LEFT, Side.RIGHT)",
        _TESTED_RULES,
    ),
    Mutant(
        "teaching-does-not-ask-what-becomes-of-it",
        _RULES,
        "if purpose is not None and purpose.asks_keep and description.keep is None:",
        "if False:",
        ("tests/unit/exam/test_describing.py",),
    ),
    Mutant(
        "nothing-coded-leaves",
        _RULES,
        "    if parts or entry is None or region is None:\n",
        "    if entry is None or region is None:\n",
        _TESTED_RULES,
    ),
    Mutant(
        "the-side-is-not-written",
        "capture_app/dicom/modules/anatomy.py",
        '"U" if side is None else _LATERALITIES[side]',
        '"U"',
        ("tests/unit/dicom/test_golden.py", "tests/unit/dicom/test_iods.py"),
    ),
    Mutant(
        "a-turn-is-shown-and-not-sent",
        "capture_app/outbox/sealing/content.py",
        "turned(poster_of(spool, capture_id), turn, decoder)",
        'turned(poster_of(spool, capture_id), type(turn)("0"), decoder)',
        ("tests/unit/outbox/test_seal.py",),
    ),
    Mutant(
        "a-clip-passes-for-its-first-frame",
        "capture_app/outbox/keeping/drafts.py",
        'if kind_of_capture(spool, capture_id) == "clip":',
        "if False:",
        ("tests/unit/outbox/test_clips.py",),
    ),
    Mutant(
        "a-promise-of-a-clip-is-not-fsynced",
        "capture_app/store/sealed_pieces.py",
        "            os.fsync(self._file.fileno())\n\n    def finish",
        "            pass\n\n    def finish",
        ("tests/unit/store/test_clip.py",),
    ),
    Mutant(
        "the-ring-takes-what-came-late",
        "capture_app/devices/replay.py",
        "self._since is not None and self._sealed_at is None and not_before >= self._since",
        "self._since is not None and self._sealed_at is None",
        ("tests/unit/devices/test_replay.py",),
    ),
    Mutant(
        "another-choice-turns-a-picture-back",
        "capture_app/exam/describing.py",
        "        chosen.turn,\n",
        "",
        ("tests/unit/exam/test_describing.py",),
    ),
    Mutant(
        "left-is-right",
        "capture_app/imaging/turning.py",
        "{Turn.RIGHT: 6, Turn.HALF: 3, Turn.LEFT: 8}",
        "{Turn.RIGHT: 8, Turn.HALF: 3, Turn.LEFT: 6}",
        ("tests/unit/imaging/test_turning.py",),
    ),
    Mutant(
        "a-file-is-not-fsynced",
        "capture_app/store/sealed.py",
        "                os.fsync(descriptor)\n",
        "",
        ("tests/unit/store/test_sealed.py::test_a_file_gets_its_name_once_the_disk_has_it",),
    ),
)
