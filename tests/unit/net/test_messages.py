import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID
from pynetdicom.dimse_messages import C_ECHO_RQ
from pynetdicom.dimse_primitives import C_ECHO
from pynetdicom.pdu import P_DATA_TF

from capture_app.errors import TransientDeliveryError
from capture_app.net.dicom.association import VERIFICATION
from capture_app.net.dicom.dimse_messages import encoded_command
from capture_app.net.dicom.upper_layer import data_pdus, longest_fragment


def test_a_command_is_encoded_as_pynetdicom_encodes_it() -> None:
    primitive = C_ECHO()
    primitive.MessageID = 7
    primitive.AffectedSOPClassUID = VERIFICATION
    message = C_ECHO_RQ()
    message.primitive_to_message(primitive)
    (pdata,) = message.encode_msg(1, 16384)
    theirs = pdata.presentation_data_value_list[0][1][1:]
    ours = encoded_command(
        AffectedSOPClassUID=UID(VERIFICATION),
        CommandField=0x0030,
        MessageID=7,
        CommandDataSetType=0x0101,
    )
    assert ours == theirs


@given(st.binary(min_size=1, max_size=500), st.integers(1, 40).map(lambda n: 2 * n))
def test_data_is_cut_into_pdus_that_pynetdicom_puts_together(data: bytes, longest: int) -> None:
    stream = b"".join(data_pdus(5, (data,), is_command=False, longest=longest))
    together = b""
    last = []
    while stream:
        _, length = struct.unpack_from(">BxL", stream)
        pdu = P_DATA_TF()
        pdu.decode(stream[: 6 + length])
        stream = stream[6 + length :]
        (value,) = pdu.to_primitive().presentation_data_value_list
        assert value[0] == 5
        assert len(value[1]) - 1 <= longest
        last.append(bool(value[1][0] & 2))
        together += value[1][1:]
    assert together == data
    assert last == [False] * (len(last) - 1) + [True]


@pytest.mark.parametrize(
    ("peers_longest", "ours"),
    [(16384, 16378), (16383, 16376), (0, 131072), (None, 131072), (1 << 30, 131072)],
)
def test_a_fragment_fits_the_peer_is_even_and_has_an_end(
    peers_longest: int | None, ours: int
) -> None:
    assert longest_fragment("pacs", peers_longest) == ours


@pytest.mark.parametrize("absurd", [1, 6, 7, 40])
def test_a_peer_that_takes_next_to_nothing_is_refused(absurd: int) -> None:
    with pytest.raises(TransientDeliveryError) as caught:
        longest_fragment("pacs", absurd)
    assert caught.value.code == "protocol"
