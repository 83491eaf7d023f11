"""Orders in words: as rows to choose from, and as the banner shows what is in use or offered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from capture_app.exam.orders import contradicts
from capture_app.exam.standing import visit_now
from capture_app.model.device import DeviceInfo
from capture_app.model.exam import Exam
from capture_app.model.order import Order
from capture_app.model.words import tr, trn
from capture_app.patients.census.census import Census
from capture_app.ui.words import wording
from capture_app.ui.words.shown import ListRow, OrderShown

NO_ORDER: Final = "none"
"""The row that says so."""


def listed_orders(census: Census, exam: Exam) -> tuple[Order, ...]:
    """What the list shows now for the exam's patient and visit, each once, without those whose
    study an order of another patient has too: none of them can be used.
    """
    number = exam.patient.patient_id
    now = census.person(number)
    encounter = visit_now(exam.encounter, now) if now is not None else exam.encounter
    visit = encounter.visit_number if encounter else ""
    rows = (
        row
        for row in census.lookup(number.value, number.issuer)
        if row.patient.patient_id.key == number.key
        and (row.encounter.visit_number if row.encounter else "") == visit
    )
    return tuple(
        dict.fromkeys(
            order
            for row in rows
            for order in row.orders
            if order.study_instance_uid not in row.shared_studies
        )
    )


def order_id(order: Order | None) -> str:
    """The row id of an order; that of the row without one for None."""
    if order is None:
        return NO_ORDER
    parts = (order.study_instance_uid, order.accession_number, order.requested_procedure_id)
    return "|".join((*parts, order.scheduled_procedure_step_id))


def order_rows(
    orders: Iterable[Order], device: DeviceInfo | None, now: datetime
) -> tuple[ListRow, ...]:
    """The rows to choose one order from, and last the one without."""
    rows = [
        ListRow(order_id(order), wording.order(order), note=_note(order, device, now))
        for order in orders
    ]
    return (*rows, ListRow(NO_ORDER, tr("No order")))


def order_shown(
    used: Order | None, offers: Sequence[Order], device: DeviceInfo | None, *, is_open: bool
) -> OrderShown | None:
    """What the banner says; None where no order is in use and none is offered.

    `is_open`: whether another order may still be chosen, for there are no pictures.
    """
    if used is not None:
        return _in_use(used, device, is_open=is_open)
    if not offers:
        return None
    if not is_open:
        return OrderShown(
            tr("No order"),
            tr("Pictures were taken"),
            tr(
                "Pictures were taken without an order. To use one, send or delete them and open "
                "the patient again."
            ),
            usable=False,
        )
    only = offers[0]
    if len(offers) > 1 or contradicts(only, device):
        n = len(offers)
        value = trn("{n} offered, none in use", "{n} offered, none in use", n)
        return OrderShown(tr("Choose an order"), value, value)
    number, what = wording.order_number(only), wording.order_what(only)
    return OrderShown(
        tr("Use order {number}", number=number) if number else tr("Use this order"),
        wording.own_direction(what) if what else _asks_for(only),
        tr("Use order: {order}", order=wording.order(only)),
        at_once=order_id(only),
    )


def _in_use(used: Order, device: DeviceInfo | None, *, is_open: bool) -> OrderShown:
    number, what, words = wording.order_number(used), wording.order_what(used), wording.order(used)
    label = tr("Order {number} in use", number=number) if number else tr("Order in use")
    if contradicts(used, device):
        whole = tr("In use: {order}. The device makes another kind of picture.", order=words)
        return OrderShown(label, _asks_for(used), whole, usable=is_open, warns=True)
    if is_open:
        whole = tr("In use: {order}", order=words)
    else:
        whole = tr("In use: {order}. Pictures were taken for it: it stays.", order=words)
    value = wording.own_direction(what) if what else _asks_for(used)
    return OrderShown(label, value, whole, usable=is_open)


def _note(order: Order, device: DeviceInfo | None, now: datetime) -> str:
    if contradicts(order, device):
        return _asks_for(order)
    return wording.moment(order.scheduled_at, now) if order.scheduled_at else ""


def _asks_for(order: Order) -> str:
    return {
        "XC": tr("asks for a photograph"),
        "DMS": tr("asks for dermoscopy"),
        "ES": tr("asks for endoscopy"),
        "GM": tr("asks for microscopy"),
        "US": tr("asks for ultrasound"),
    }.get(order.modality) or tr("asks for {modality}", modality=order.modality or tr("a picture"))
