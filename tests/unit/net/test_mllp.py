from capture_app.net.mllp import CR, FS, VT, Framed, Unframer, framed


def test_a_frame_is_what_the_standard_says() -> None:
    assert framed(b"MSH|1") == b"\x0bMSH|1\x1c\r"


def test_several_messages_in_one_read() -> None:
    unframer = Unframer(100)
    assert list(unframer.feed(framed(b"one") + framed(b"two"))) == [
        Framed(b"one", is_whole=True),
        Framed(b"two", is_whole=True),
    ]


def test_a_message_in_single_bytes() -> None:
    unframer = Unframer(100)
    found = [frame for byte in framed(b"MSH|x") for frame in unframer.feed(bytes([byte]))]
    assert found == [Framed(b"MSH|x", is_whole=True)]


def test_what_stands_between_frames_is_passed_over() -> None:
    unframer = Unframer(100)
    data = b"GET / HTTP/1.1\r\n" + framed(b"one") + b"\n\n" + FS + CR + framed(b"two")
    assert [frame.content for frame in unframer.feed(data)] == [b"one", b"two"]


def test_the_carriage_return_after_a_frame_may_be_missing() -> None:
    data = VT + b"one" + FS + VT + b"two" + FS
    assert [frame.content for frame in Unframer(100).feed(data)] == [b"one", b"two"]


def test_a_message_that_was_given_up_and_begun_again_counts_once() -> None:
    data = VT + b"half of it" + VT + b"all of it" + FS + CR
    unframer = Unframer(100)
    assert [frame.content for frame in unframer.feed(data)] == [b"all of it"]


def test_a_message_that_was_given_up_across_two_reads_counts_once() -> None:
    unframer = Unframer(100)
    assert list(unframer.feed(VT + b"half of it")) == []
    assert [f.content for f in unframer.feed(VT + b"all of it" + FS + CR)] == [b"all of it"]


def test_of_a_message_that_is_too_long_only_the_beginning_is_held() -> None:
    unframer = Unframer(10)
    assert list(unframer.feed(VT + b"0123456789")) == []
    for _ in range(1000):
        assert list(unframer.feed(b"x" * 100)) == []
    assert unframer.length == 100_010
    assert len(unframer._buffer) == 10
    assert list(unframer.feed(FS + CR + framed(b"next"))) == [
        Framed(b"0123456789", is_whole=False),
        Framed(b"next", is_whole=True),
    ]


def test_a_message_of_just_the_longest_length_is_whole() -> None:
    assert list(Unframer(3).feed(framed(b"abc"))) == [Framed(b"abc", is_whole=True)]


def test_what_comes_instead_of_a_message_is_counted() -> None:
    unframer = Unframer(10)
    assert list(unframer.feed(b"x" * 50)) == []
    assert (unframer.is_within, unframer.length) == (False, 50)
    assert [frame.content for frame in unframer.feed(framed(b"ok"))] == [b"ok"]
    assert (unframer.is_within, unframer.length) == (False, 1)  # the carriage return
