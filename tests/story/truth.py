"""What must hold of every picture, file and archive of a story, whatever anybody did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydicom.dataset import Dataset

from capture_app.dicom import part10
from capture_app.model.procedure import Description, Side
from capture_app.model.words import tr
from capture_app.outbox.sealing.identity import SealedIdentity, read_identity
from capture_app.store.sealed import open_sealed
from capture_app.ui.workspace import words
from tests import outboxes
from tests.story.hospital import AUTHORITY, ORDER, Hospital, Person, Wording
from tests.story.windows import Window
from tests.ui.stage import Stage


class Truth:
    """Remembers who was on which screen, and looks at what became of it."""

    def __init__(self, stage: Stage, hospital: Hospital, windows: Sequence[Window]) -> None:
        self.stage = stage
        self.hospital = hospital
        self.windows = windows
        self.ordered: Person | None = None
        """Whose the worklist says that its order is."""
        self.taken: dict[str, Person] = {}
        """Who was on the screen when the shutter was pressed, by capture id."""
        self.sealed: dict[str, bytes] = {}
        """Every object that was ever sealed, by its UID."""
        self.descriptions: dict[str, Description] = {}
        """What was last sealed of each picture, by capture id."""
        self.pictures: dict[str, str] = {}
        """Of which picture each of them was, by UID the capture id."""
        self.seen: set[str] = set()
        self.pressed: list[str] = []
        """The visits for which the shutter was pressed since the last look."""

    def look(self) -> None:
        """Once nothing is under way: at each picture, each sealed file and the archive."""
        self.every_picture_is_of_whom_the_screen_showed()
        spool = self.stage.outbox.spool
        for path in outboxes.sealed_files(spool.instances):
            if path.name not in self.seen:
                self.seen.add(path.name)
                whole = open_sealed(path, spool.cipher)
                identity = read_identity(whole.header, whole.identity)
                self.is_what_was_shown(part10.read(whole.content), identity)
                uid = identity.instance.sop_instance_uid
                assert uid not in self.sealed, "one SOP Instance UID for two images"
                self.sealed[uid] = whole.content
                self.pictures[uid] = identity.capture_id
                self.descriptions[identity.capture_id] = identity.kept.description
        for one in self.windows:
            self.no_screen_mixes_patients(one)
            one.shown.clear()
            assert not one.sent_unsure, "Send asked nobody"
        held = self.stage.archive.holds()
        assert all(self.sealed[uid] == content for uid, content in held.items())
        delivered = Counter(self.pictures[uid] for uid in held)
        assert not [one for one, times in delivered.items() if times > 1], "delivered twice"
        withdrawn = "SELECT sop_instance_uid FROM instance WHERE withdrawn = 1"
        taken_back = {uid for (uid,) in spool.database.read().execute(withdrawn).fetchall()}
        assert not taken_back & held.keys(), "a draft, though an archive has it"
        self.every_picture_is_somewhere_once()

    def every_picture_is_somewhere_once(self) -> None:
        """A draft, deleted, or on its way by one object: never in two places, never in none."""
        spool = self.stage.outbox.spool
        (unplaced, *rest) = (spool.database.read().execute(one).fetchall() for one in _MISPLACED)
        assert not unplaced, "neither a draft nor on its way"
        assert not any(rest), "in two places"

    def every_picture_is_of_whom_the_screen_showed(self) -> None:
        outbox, found = self.stage.outbox, Counter[str]()
        kept = outbox.spool.database.read().execute("SELECT capture_id FROM capture")
        for (capture_id,) in kept.fetchall():
            if capture_id not in self.taken:
                number = outbox.exam_of(capture_id).patient.patient_id
                assert number.issuer == AUTHORITY
                self.taken[capture_id] = self.hospital.whose(number.value)
                found[self.taken[capture_id].visit] += 1
        assert found <= Counter(self.pressed), "kept for somebody who was not on the screen"
        self.pressed.clear()

    def no_screen_mixes_patients(self, window: Window) -> None:
        """The film strip has pictures of whom the banner names, and of nobody else."""
        if (vm := window.workspace) is not None:
            shown = [thumb.capture_id for thumb in vm.state.thumbs if thumb.capture_id]
            whose = [self.taken[one] for one in shown if one in self.taken]
            assert all(window.number in one.numbers for one in whose), "another's in the strip"

    def is_what_was_shown(self, ds: Dataset, identity: SealedIdentity) -> None:
        one, said = self.hospital.whose(ds.PatientID), identity.kept.description
        assert self.taken[identity.capture_id] is one, "another patient's"
        assert (ds.PatientID, ds.IssuerOfPatientID) == (one.number, AUTHORITY), "retired"
        assert not one.is_cancelled, "the visit was cancelled"
        under = ds.StudyInstanceUID == ORDER.study_instance_uid or ds.AccessionNumber
        assert not under or self.ordered is one, "under another patient's order"
        wording = (str(ds.PatientName), ds.PatientBirthDate, ds.PatientSex)
        assert wording == one.wording, "not as the feed words the patient"
        assert said.procedure is not None
        assert said.region is not None
        senders = [w for w in self.windows if w.user.user_id == identity.user_id]
        shown = (tr(said.procedure.display_name), words.thumb_words(said))
        assert shown in [w.shown.get(identity.capture_id) for w in senders], "not as shown"
        assert any(_is_still(w.identified, one.wording) for w in senders), "nobody was asked"
        assert ds.AnatomicRegionSequence[0].CodeValue == said.region.code.value
        assert ds.ImageLaterality == _LATERALITY[said.side]
        assert ds.ProcedureCodeSequence[0].CodeValue == said.procedure.code.value


_MISPLACED = (
    (
        "SELECT 1 FROM instance JOIN task USING (sop_instance_uid) "
        "WHERE withdrawn = 0 AND task.state = 'withdrawn'"
    ),
    "SELECT 1 FROM instance WHERE withdrawn = 0 GROUP BY capture_id HAVING count(*) > 1",
    (
        "SELECT 1 FROM instance JOIN task USING (sop_instance_uid) "
        "WHERE withdrawn = 1 AND task.state <> 'withdrawn'"
    ),
    (
        "SELECT 1 FROM capture JOIN instance USING (capture_id) WHERE withdrawn = 0 "
        "AND deleted_at <> ''"
    ),
)
"""Pictures that are nowhere; that are on their way twice; that are drafts, or deleted, and are on
their way all the same.
"""
_LATERALITY = {Side.LEFT: "L", Side.RIGHT: "R", Side.BOTH: "B", Side.MIDLINE: "U", None: "U"}


def agrees(newest: Description, panels: Description, touched: Iterable[str]) -> None:
    """What goes without a question says what the panels say."""
    for part in touched:
        said = getattr(panels, str(part))
        assert said is None or said == getattr(newest, str(part)), part


def _is_still(before: Wording | None, now: Wording) -> bool:
    """Whether nobody need be asked: at most one change, what was not known before being none."""
    if before is None:
        return False
    known = ("" if before[0].startswith("Unknown") else before[0], *before[1:])
    return sum(a not in ("", b) for a, b in zip(known, now, strict=True)) < 2
