import dataclasses
import threading
from typing import Any

import pytest
from pydicom.dataset import Dataset

from capture_app.archive.commitment import (
    STORAGE_COMMITMENT,
    Transaction,
    Transactions,
)
from capture_app.errors import TransientDeliveryError
from capture_app.net.deadline import Interruption
from capture_app.net.dicom.association import EventReport

PHOTO = "1.2.840.10008.5.1.4.1.1.77.1.4"
WELL_KNOWN = "1.2.840.10008.1.20.1.1"


def report(
    transaction_uid: str,
    *,
    kept: tuple[str, ...] = (),
    failed: tuple[str, ...] = (),
    sop_class: str = PHOTO,
) -> EventReport:
    information = Dataset()
    information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = [item(uid, sop_class) for uid in kept]
    information.FailedSOPSequence = [item(uid, sop_class, 0x0112) for uid in failed]
    return EventReport("PACS", STORAGE_COMMITMENT, WELL_KNOWN, 2 if failed else 1, information)


def item(uid: str, sop_class: str, reason: int | None = None) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID = sop_class
    ds.ReferencedSOPInstanceUID = uid
    if reason is not None:
        ds.FailureReason = reason
    return ds


def begun(*uids: str) -> tuple[Transactions, Transaction]:
    """A transaction 1.2.3 that asked the archive PACS for photographs."""
    transactions = Transactions()
    transaction = Transaction("1.2.3", 0.0, "PACS", dict.fromkeys(uids, PHOTO))
    transactions.begin(transaction)
    return transactions, transaction


def test_a_report_meets_its_request() -> None:
    transactions, transaction = begun("1.1", "1.2")
    assert not transactions.wait([transaction], 0.0, Interruption())
    assert transactions.report(report("1.2.3", kept=("1.1",), failed=("1.2",))) == 0x0000
    assert transactions.wait([transaction], 0.0, Interruption())
    assert transaction.reasons == {"1.1": 0, "1.2": 0x0112}


@pytest.mark.expects_log("commitment-report-unknown")
@pytest.mark.parametrize("change", [{"ae_title": "OTHER"}, {"transaction_uid": "1.2.4"}])
def test_nobody_else_answers_and_no_other_transaction_confirms(change: dict[str, str]) -> None:
    transactions, transaction = begun("1.1")
    foreign = report(change.get("transaction_uid", "1.2.3"), kept=("1.1",))
    foreign = dataclasses.replace(foreign, ae_title=change.get("ae_title", "PACS"))
    assert transactions.report(foreign) == 0x0110
    assert transaction.reasons is None


@pytest.mark.expects_log("commitment-report-unreadable")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"sop_class_uid": "1.2.840.10008.1.1"}, 0x0112),
        ({"sop_instance_uid": "1.2.840.10008.1.20.1.2"}, 0x0112),
        ({"event_type_id": 3}, 0x0113),
    ],
)
def test_a_report_of_something_else_confirms_nothing(change: dict[str, Any], status: int) -> None:
    transactions, transaction = begun("1.1")
    assert transactions.report(dataclasses.replace(report("1.2.3", kept=("1.1",)), **change)) == (
        status
    )
    assert transaction.reasons is None


def test_a_promise_for_another_class_or_another_image_is_none_for_ours() -> None:
    transactions, transaction = begun("1.1", "1.2")
    assert transactions.report(report("1.2.3", kept=("1.1",), sop_class=PHOTO + ".1")) == 0x0000
    assert transaction.reasons == {"1.1": 0x0119}
    assert transactions.report(report("1.2.3", kept=("1.3",))) == 0x0000
    assert transaction.reasons == {}


def test_an_image_that_is_named_as_kept_and_as_failed_is_not_kept() -> None:
    transactions, transaction = begun("1.1")
    assert transactions.report(report("1.2.3", kept=("1.1",), failed=("1.1",))) == 0x0000
    assert transaction.reasons == {"1.1": 0x0112}


def test_a_failure_of_no_reason_is_a_failure() -> None:
    transactions, transaction = begun("1.1")
    zero = report("1.2.3", failed=("1.1",))
    zero.information.FailedSOPSequence[0].FailureReason = 0
    assert transactions.report(zero) == 0x0000
    assert transaction.reasons == {"1.1": 0x0110}


@pytest.mark.expects_log("commitment-report-unknown")
def test_a_report_after_the_end_is_not_taken() -> None:
    transactions, transaction = begun("1.1")
    transactions.end(transaction)
    assert transactions.report(report("1.2.3", kept=("1.1",))) == 0x0110
    assert transaction.reasons is None


@pytest.mark.expects_log("commitment-report-unreadable")
def test_a_report_that_cannot_be_read_is_not_taken() -> None:
    transactions, _ = begun("1.1")
    nameless = report("1.2.3", kept=("1.1",))
    del nameless.information.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert transactions.report(nameless) == 0x0110


def test_a_stop_ends_the_wait() -> None:
    transactions, transaction = begun("1.1")
    interruption = Interruption()
    teller = threading.Timer(0.05, interruption.interrupt)
    teller.start()
    with pytest.raises(TransientDeliveryError) as caught:
        transactions.wait([transaction], 30.0, interruption)
    teller.join()
    assert caught.value.code == "interrupted"
