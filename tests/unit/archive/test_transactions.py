import threading

import pytest
from pydicom.dataset import Dataset

from capture_app.archive.commitment import Transaction, Transactions
from capture_app.errors import TransientDeliveryError
from capture_app.net.deadline import Interruption
from capture_app.net.dicom.association import EventReport


def report(
    transaction_uid: str, *, kept: tuple[str, ...] = (), failed: tuple[str, ...] = ()
) -> EventReport:
    information = Dataset()
    information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = [item(uid) for uid in kept]
    information.FailedSOPSequence = [item(uid, 0x0112) for uid in failed]
    return EventReport("1.2.840.10008.1.20.1", 2 if failed else 1, information)


def item(uid: str, reason: int | None = None) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPInstanceUID = uid
    if reason is not None:
        ds.FailureReason = reason
    return ds


def test_a_report_meets_its_request() -> None:
    transactions, transaction = Transactions(), Transaction("1.2.3", 0.0)
    transactions.begin(transaction)
    assert not transactions.wait([transaction], 0.0, Interruption())
    assert transactions.report(report("1.2.3", kept=("1.1",), failed=("1.2",))) == 0x0000
    assert transactions.wait([transaction], 0.0, Interruption())
    assert transaction.reasons == {"1.1": 0, "1.2": 0x0112}


@pytest.mark.expects_log("commitment-report-unknown")
def test_a_report_after_the_end_is_not_taken() -> None:
    transactions, transaction = Transactions(), Transaction("1.2.3", 0.0)
    transactions.begin(transaction)
    transactions.end(transaction)
    assert transactions.report(report("1.2.3", kept=("1.1",))) == 0x0110
    assert transaction.reasons is None


@pytest.mark.expects_log("commitment-report-unreadable")
def test_a_report_that_cannot_be_read_is_not_taken() -> None:
    transactions = Transactions()
    nameless = report("1.2.3", kept=("1.1",))
    del nameless.information.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert transactions.report(nameless) == 0x0110


def test_a_stop_ends_the_wait() -> None:
    transactions, transaction = Transactions(), Transaction("1.2.3", 0.0)
    interruption = Interruption()
    transactions.begin(transaction)
    teller = threading.Timer(0.05, interruption.interrupt)
    teller.start()
    with pytest.raises(TransientDeliveryError) as caught:
        transactions.wait([transaction], 30.0, interruption)
    teller.join()
    assert caught.value.code == "interrupted"
