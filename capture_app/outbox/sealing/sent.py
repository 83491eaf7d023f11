"""Whom what was sent is about, in the wording in which it was sealed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from capture_app.errors import SealBrokenError
from capture_app.model.delivery import Instance
from capture_app.model.patient import Patient
from capture_app.outbox.sealing.identity import instance_context
from capture_app.outbox.spool import Spool


def sent_patients(spool: Spool, sop_instance_uids: Iterable[str]) -> Mapping[str, Patient]:
    """The patients of sealed instances, by SOP Instance UID.

    Without those whose row says nothing of it, because it is of before or cannot be read: they
    have the wording of their exam.
    """
    rows = spool.database.read().execute(
        "SELECT sop_instance_uid, sealed FROM instance WHERE sop_instance_uid IN "
        "(SELECT value FROM json_each(?))",
        (json.dumps(sorted(sop_instance_uids)),),
    )
    found = {}
    for uid, cell in rows:
        try:
            patient = spool.unseal(Instance, cell, instance_context(uid)).patient
        except SealBrokenError:
            continue  # `outbox --check` names it
        if patient is not None:
            found[uid] = patient
    return found
