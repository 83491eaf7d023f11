"""Which of a patient's orders are offered for the pictures: none is attached by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from capture_app.catalog.catalog import Catalog
from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.exam.describing import from_order
from capture_app.model.device import DeviceInfo
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ImageKind
from capture_app.model.worklist import PatientListEntry
from capture_app.settings.schema import Settings

_MAKES: Final[Mapping[ImageKind, frozenset[str]]] = MappingProxyType(
    {kind: frozenset({kind.value}) for kind in ImageKind}
    # What a dermatoscope takes is a photograph where the act is not about dermoscopy.
    | {ImageKind.DERMOSCOPY: frozenset({ImageKind.DERMOSCOPY.value, ImageKind.PHOTO.value})}
)
_SAYS_NOTHING: Final = frozenset({"", "OT"})
"""Modalities (PS3.3 C.7.3.1.1.1) that ask for no kind of picture: none given, and Other."""


@dataclass(frozen=True, slots=True)
class StationIdentity:
    """By what an order shows that it is for this station."""

    ae_titles: frozenset[str]
    departments: frozenset[str]
    """Without regard to case."""


def ours(settings: Settings) -> StationIdentity:
    """Our own AE titles, those whose steps our worklists are asked for, and our departments."""
    titles = {settings.station.ae_title, *(w.station_ae_title for w in settings.worklists)}
    departments = {settings.station.department, settings.institution.department}
    return StationIdentity(
        frozenset(titles - {""}), frozenset(name.casefold() for name in departments if name)
    )


def contradicts(order: Order, device: DeviceInfo | None) -> bool:
    """Whether the order asks for another kind of picture than the device in use makes."""
    if device is None or order.modality in _SAYS_NOTHING:
        return False
    return order.modality not in _MAKES[device.image_kind]


def is_offered(order: Order, device: DeviceInfo | None, here: StationIdentity) -> bool:
    """Whether its modality is what the device makes, or its station or its department is ours."""
    return (
        (device is not None and order.modality in _MAKES[device.image_kind])
        or order.scheduled_station_ae_title in here.ae_titles
        or order.department.casefold() in here.departments
    )


def offered(
    orders: Iterable[Order], device: DeviceInfo | None, here: StationIdentity
) -> tuple[Order, ...]:
    """The orders to offer, each once; those that contradict the device come last."""
    fitting = [o for o in dict.fromkeys(orders) if is_offered(o, device, here)]
    return tuple(sorted(fitting, key=lambda order: contradicts(order, device)))


def obvious(
    orders: Iterable[Order], device: DeviceInfo | None, here: StationIdentity
) -> Order | None:
    """The one order that is offered and does not contradict the device; None for none or several.

    It may be named alone, with one act that uses it.
    """
    fitting = [o for o in offered(orders, device, here) if not contradicts(o, device)]
    return fitting[0] if len(fitting) == 1 else None


def of_row(row: PatientListEntry, device: DeviceInfo | None) -> Order | None:
    """The order that a row of the worklist is, where nothing needs to be asked: the row's only one,
    no contradiction to the device in use, and of a study that no other patient has.
    """
    different = list(dict.fromkeys(row.orders))
    if len(different) != 1 or contradicts(different[0], device):
        return None
    (order,) = different
    return None if order.study_instance_uid in row.shared_studies else order


def prefilled(order: Order | None, device: DeviceInfo | None, catalog: Catalog) -> Description:
    """What the order's codes say of its pictures, where the device in use can take them."""
    said = from_order(order, catalog)
    if device is None or said.procedure is None:
        return said
    mismatch = isinstance(object_kind(device, said.procedure), KindMismatch)
    return Description() if mismatch else said
