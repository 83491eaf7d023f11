"""What a banner has to say to be of the patient, for whatever a machine misreads."""

from dataclasses import replace

import pytest

from capture_app.exam.console_guard import ConsoleSays, console_says
from capture_app.model.patient import NameGroup, PatientId, PersonName
from tests.sealing import MAI

THIS, OTHER, UNCLEAR = (
    ConsoleSays.THIS_PATIENT,
    ConsoleSays.NOT_THIS_PATIENT,
    ConsoleSays.UNCLEAR,
)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["NGUYEN^MAI 0012345678", "14-Jul-1956F"], THIS),
        (["NGUYEN~MAI0012345678"], THIS),
        (["MRN: 12345678"], THIS),  # without its zeros
        (["MRN: OO12345678"], THIS),  # as it is misread
        (["Nguyễn, Thị Mai"], THIS),
        (["NGUYEM", "MAI"], THIS),  # one letter in five
        (["阮氏梅"], THIS),
        (["HANSEN, Ole Martin", "0009812204"], OTHER),
        (["MRN: 12345679"], OTHER),  # the next number is another person
        (["NGUYEN, Linh", "0012345699"], OTHER),
        (["ST ANNE'S HOSPITAL", "MSK L12-3", "11:02"], OTHER),
        (["NGUYEN, M", "11:02"], UNCLEAR),  # a sister may be M, too
        (["", "-"], UNCLEAR),
        (["3.1"], UNCLEAR),
        ([], UNCLEAR),
    ],
)
def test_a_banner_is_compared_with_the_patient(texts: list[str], says: ConsoleSays) -> None:
    assert console_says(texts, MAI) is says


def test_a_number_that_is_short_proves_nothing() -> None:
    few = replace(MAI, patient_id=PatientId("1102", "ST_ANNE"))
    assert console_says(["HANSEN", "11:02"], few) is OTHER


def test_a_patient_without_a_name_is_told_by_the_number_alone() -> None:
    nobody = replace(MAI, name=PersonName(NameGroup()))
    assert console_says(["NGUYEN MAI"], nobody) is OTHER
    assert console_says(["0012345678"], nobody) is THIS
