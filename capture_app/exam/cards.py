"""Pictures of cameras that no cable ties: slates before the camera, then the card or folder.

    slate = cards.show(exam, operator)          # on the screen: code_of(slate, now) is its code
    read = cards.read(file, known)              # each file of the card once
    groups = sort_card(read files, cards.slates_of(read files), now)
    cards.keep(group, slate, shown, operator, device, told)   # a person looked, and says whose

Nothing of a card is kept but by `keep`, and `keep` takes no picture without a slate.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from capture_app.catalog.catalog import Catalog
from capture_app.clock import Clock
from capture_app.devices.card import CardFile, FileSort
from capture_app.errors import (
    CaptureAppError,
    ChangedSinceSeenError,
    DeviceError,
    ImageError,
    PartlyKeptError,
    RuleError,
)
from capture_app.exam.card_sorting import Group, SeenFile
from capture_app.exam.describing import completed
from capture_app.exam.encoding import Picture, picture_in
from capture_app.exam.following import People
from capture_app.exam.importing import bytes_of_file
from capture_app.exam.standing import worded, worded_as_shown
from capture_app.model.device import OFTEN_BURNED_IN, DeviceInfo, DeviceKind
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, require
from capture_app.model.patient import Patient
from capture_app.model.procedure import Description
from capture_app.model.slate import Slate, SlateCode, slate_code
from capture_app.model.words import tr, trn
from capture_app.model.worklist import Doubt, IdentifiedBy, PatientListEntry
from capture_app.outbox.keeping.slates import (
    KeptFile,
    kept_files,
    put_slates,
    read_slates,
    record_removed,
)
from capture_app.outbox.outbox import Outbox
from capture_app.settings.cards import CardFolder
from capture_app.settings.schema import Station

if TYPE_CHECKING:  # its libraries are read by the first picture
    from capture_app.imaging.decoder import Decoder

_CODE_SIDE: Final = 1600
"""Pixels of the longer side in which a code is looked for."""
_EXACT: Final = timedelta(seconds=60)
"""A camera whose clock differs by less shows the right time."""


def card_device(card: CardFolder) -> DeviceInfo:
    """What images of a card say of the camera that took them."""
    return DeviceInfo(
        device_id=card.id,
        name=card.name,
        kind=DeviceKind.FILE,
        image_kind=card.image_kind,
        manufacturer=card.manufacturer,
        model_name=card.model_name,
        serial_number=card.serial_number,
        burned_in_annotation=card.image_kind in OFTEN_BURNED_IN,
    )


def code_of(slate: Slate, now: datetime, *, closes: bool = False) -> SlateCode:
    """What stands in the code of a slate at this moment."""
    return SlateCode(slate.token, None if slate.is_printed else now, closes)


class Cards:
    """Slates, and pictures that come with them. Safe for use by many threads."""

    def __init__(
        self,
        outbox: Outbox,
        catalog: Catalog,
        clock: Clock,
        station: Station,
        people: People,
        decoder: Decoder,
    ) -> None:
        """As `ExamService`."""
        self._outbox = outbox
        self._catalog = catalog
        self._clock = clock
        self._station = station
        self._people = people
        self._decoder = decoder

    # ---------------------------------------------------------------------------------- slates

    def show(self, exam: Exam, operator: Operator) -> Slate:
        """A slate of the patient of an open exam, for the screen. Trail."""
        require(operator, Act.TAKE_PICTURES)
        slate = Slate(
            token=_token(),
            patient=exam.patient,
            encounter=exam.encounter,
            order=exam.order,
            made_at=self._clock.now(),
            made_by=operator.user_id,
            is_visit_shared=exam.is_visit_shared,
        )
        put_slates(self._outbox.spool, (slate,), exam_id=exam.exam_id)
        return slate

    def print(self, entries: Sequence[PatientListEntry], operator: Operator) -> tuple[Slate, ...]:
        """A slate for each of these rows of the list that has a number of its own. Trail."""
        require(operator, Act.TAKE_PICTURES)
        now = self._clock.now()
        slates = tuple(
            Slate(
                token=_token(),
                patient=entry.patient,
                encounter=entry.encounter,
                order=None,
                made_at=now,
                made_by=operator.user_id,
                is_printed=True,
                is_visit_shared=Doubt.SHARED_VISIT_NUMBER in entry.doubts,
            )
            for entry in entries
            if entry.patient.patient_id.value and not entry.person
        )
        put_slates(self._outbox.spool, slates)
        return slates

    def slates_of(self, files: Sequence[SeenFile]) -> Mapping[str, Slate]:
        """The slates in these pictures that this station knows, by token."""
        tokens = {code.token for seen in files for code in seen.codes}
        return read_slates(self._outbox.spool, tokens) if tokens else {}

    def patient_of(self, slate: Slate) -> Patient:
        """Its patient, as the feeds word them now."""
        now = self._people(slate.patient.patient_id)
        return slate.patient if now is None else worded(slate.patient, now.patient)

    # ----------------------------------------------------------------------------------- files

    def read(self, file: CardFile) -> SeenFile:
        """What a file holds. Raises DeviceError where the card was pulled out."""
        if file.sort is FileSort.FILM:
            return SeenFile(file)
        if file.sort is FileSort.RAW:
            return SeenFile(file, fault=_raw(file))
        try:
            data = _bytes_of(file)
        except RuleError as error:
            return SeenFile(file, fault=_fault(file, error))
        try:
            picture = picture_in(data, self._decoder, now=self._clock.now())
            codes = _codes_in(picture.image)
        except ImageError as error:
            return SeenFile(file, fault=_fault(file, error))
        return SeenFile(file, picture.digest, picture.camera_time, picture.camera, codes)

    def look_at(self, seen: SeenFile) -> EncodedImage:
        """The picture in a file, for showing. Raises DeviceError, RuleError."""
        return self._picture(seen).image

    def kept(self, files: Sequence[SeenFile]) -> Mapping[str, KeptFile]:
        """Those of the files that are pictures here already, by their digest."""
        return kept_files(self._outbox.spool, {seen.digest for seen in files if seen.digest})

    def keep(
        self,
        group: Group,
        slate: Slate,
        *,
        shown: Patient,
        operator: Operator,
        device: DeviceInfo,
        on_safe: Callable[[str], None] | None = None,
    ) -> tuple[str, ...]:
        """Keeps the pictures of a group as drafts of the patient of a slate, in an exam of its own.

        A person looked at the group and said so: `slate` is the group's own, or the one that was
        offered. `shown`: the patient as they were named to that person. What is kept here already
        is left out. Returns the capture ids.

        Raises RuleError where the slate is not the group's, where the feed says by now that the
        patient is another, or where the operator takes no pictures; ChangedSinceSeenError where a
        file is not what was shown; DeviceError where the card was pulled out; PartlyKeptError where
        that, or anything else, came after some of them: those are safe, and the others can be kept
        later in the same way.
        """
        if slate not in (group.slate, group.offered):
            raise RuleError(tr("These pictures are nobody's: nothing was kept."))
        known = read_slates(self._outbox.spool, {slate.token})
        if known.get(slate.token) != slate:
            raise RuleError(tr("This slate is not known any more: nothing was kept."))
        already = self.kept(group.files)
        new = {seen.digest: seen for seen in group.files if seen.digest not in already}
        wanted = tuple(new.values())  # a copy beside its picture is the same picture
        if not wanted:
            raise RuleError(tr("These pictures are kept already."))
        first = self._picture(wanted[0])  # before an exam is written: the card may be gone
        exam = self._exam(slate, shown, operator)
        kept: list[str] = []
        for seen in wanted:
            try:
                picture = first if seen is wanted[0] else self._picture(seen)
                kept.append(
                    self._outbox.keep(
                        exam,
                        picture.image,
                        device=device,
                        taken_at=self._taken_at(picture, group),
                        is_time_known=picture.is_time_known or _is_by_slate(picture, group),
                        description=completed(Description(), self._catalog),
                        place=slate.encounter.location
                        if self._station.goes_to_patients and slate.encounter
                        else None,
                        file_digest=picture.digest,
                        on_safe=on_safe,
                    )
                )
            except CaptureAppError as error:
                if not kept:
                    raise
                raise PartlyKeptError(
                    trn(
                        "{safe} of {n} picture is safe. The others are on the card. {reason}",
                        "{safe} of {n} pictures are safe. The others are on the card. {reason}",
                        len(wanted),
                        safe=len(kept),
                        reason=error,
                    )
                ) from error
        return tuple(kept)

    def remove(
        self, files: Sequence[SeenFile], operator: Operator
    ) -> tuple[int, tuple[SeenFile, ...]]:
        """Removes from the card what every archive has proved to hold. Trail, before it is done.

        Returns how many were removed, and the files that stay. A file that is not what was read is
        not removed. Raises RuleError where the operator takes no pictures.
        """
        require(operator, Act.TAKE_PICTURES)
        kept = self.kept(files)
        removed, stay = 0, []
        for seen in files:
            found = kept.get(seen.digest)
            if found is None or not found.may_be_removed or not _is_as_read(seen):
                stay.append(seen)
                continue
            record_removed(self._outbox.spool, (found.capture_id,), operator)
            try:
                seen.file.path.unlink()
                removed += 1
            except OSError:
                stay.append(seen)
        return removed, tuple(stay)

    def _exam(self, slate: Slate, shown: Patient, operator: Operator) -> Exam:
        """An exam of the slate's patient and visit. It takes no pictures of a live camera."""
        require(operator, Act.TAKE_PICTURES)
        now = self._people(slate.patient.patient_id)
        return self._outbox.open_exam(
            Exam(
                exam_id=self._clock.new_uid(),
                patient=worded_as_shown(slate.patient, now, shown),
                encounter=slate.encounter,
                order=slate.order,
                operator=operator,
                study_instance_uid="",
                started_at=self._clock.now(),
                identified_by=IdentifiedBy.SLATE,
                department=self._station.department,
                station_name=self._station.name,
                is_visit_shared=slate.is_visit_shared,
            )
        )

    def _picture(self, seen: SeenFile) -> Picture:
        """The picture in a file that was read before. Raises ChangedSinceSeenError."""
        picture = picture_in(_bytes_of(seen.file), self._decoder, now=self._clock.now())
        if picture.digest != seen.digest:
            raise ChangedSinceSeenError(
                tr("A file of the card has changed since it was shown. Look again.")
            )
        return picture

    def _taken_at(self, picture: Picture, group: Group) -> datetime:
        """By the clock of the slate, where that is known."""
        off = group.clock_off
        if off is None or picture.camera_time is None:
            return picture.taken_at
        if abs(off) < _EXACT and picture.is_time_known:
            return picture.taken_at
        by_slate = picture.camera_time.replace(tzinfo=self._clock.now().tzinfo) - off
        return min(by_slate, self._clock.now())


def _is_by_slate(picture: Picture, group: Group) -> bool:
    """Whether slate and camera together say when it was taken."""
    return group.clock_off is not None and picture.camera_time is not None


def _bytes_of(file: CardFile) -> bytes:
    if not file.path.exists():
        raise DeviceError(tr("The card was pulled out. Put it back in."))
    try:
        return bytes_of_file(file.path)
    except RuleError as error:
        if not file.path.exists():
            raise DeviceError(tr("The card was pulled out. Put it back in.")) from error
        raise


def _raw(file: CardFile) -> str:
    return tr("{file}: This is a camera raw file. Set the camera to JPEG.", file=file.path.name)


def _fault(file: CardFile, error: CaptureAppError) -> str:
    """Why a file is no picture, in a line with its name: without where the card lies."""
    path, name = str(file.path), file.path.name
    said = str(error).splitlines()[0]
    return said.replace(path, name) if path in said else f"{name}: {said}"


def _is_as_read(seen: SeenFile) -> bool:
    try:
        data = bytes_of_file(seen.file.path)
    except RuleError:
        return False
    return hashlib.sha256(data).hexdigest() == seen.digest


def _codes_in(image: EncodedImage) -> tuple[SlateCode, ...]:
    """The slates in a picture. Raises ImageError."""
    # Read NumPy and Pillow, which the start does not wait for.
    from capture_app.imaging.codes import read_codes  # noqa: PLC0415
    from capture_app.imaging.rgb import decode  # noqa: PLC0415

    found = (slate_code(code.text) for code in read_codes(decode(image, at_least=_CODE_SIDE)))
    return tuple(code for code in found if code is not None)


def _token() -> str:
    """128 bits that say nothing."""
    return base64.b32encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
