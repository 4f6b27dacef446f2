"""Frames come back as the batch they were made of: in any order, doubled; mixed or altered ones are told apart."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.classes.courier_frames import (
    FRAME_OCTETS,
    FRAME_PREFIX,
    MOST_FRAMES,
    FrameCollection,
    FrameError,
    courier_frames,
    decode_base45,
    encode_base45,
)
from dlms_objects.errors import InvalidValueError

ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
BATCH = bytes(range(256)) * 3  # three frames


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")],
)
def test_base45_is_that_of_rfc_9285(octets: bytes, text: str) -> None:
    assert encode_base45(octets) == text
    assert decode_base45(text) == octets


@pytest.mark.parametrize("text", ["GGW", ":::", "::", "A", "AB!", "bb8"])
def test_what_base45_does_not_write_is_refused(text: str) -> None:
    with pytest.raises(FrameError):
        decode_base45(text)


@given(batch=st.binary(min_size=1, max_size=2_000), shuffled=st.randoms(use_true_random=False))
def test_frames_make_the_batch_in_any_order_and_doubled(batch: bytes, shuffled: Random) -> None:
    frames = courier_frames(batch) * 2
    shuffled.shuffle(frames)
    collection = FrameCollection()
    news = [collection.add(frame) for frame in frames]
    assert news.count(True) == len(frames) // 2
    assert collection.is_complete
    assert collection.batch() == batch


def test_every_frame_fits_the_alphanumeric_mode_and_one_size_of_code() -> None:
    frames = courier_frames(BATCH)
    assert [len(frame) for frame in frames] == [470, 470, len(FRAME_PREFIX) + (768 - 600 + 10) // 2 * 3]
    assert set("".join(frames)) <= ALPHANUMERIC


def test_an_empty_or_too_long_batch_has_no_frames() -> None:
    assert len(courier_frames(bytes(MOST_FRAMES * FRAME_OCTETS))) == MOST_FRAMES
    for octets in (0, MOST_FRAMES * FRAME_OCTETS + 1):
        with pytest.raises(InvalidValueError):
            courier_frames(bytes(octets))


def test_what_is_missing_is_told_and_nothing_is_given_out() -> None:
    collection = FrameCollection()
    with pytest.raises(FrameError, match="frames of a batch are missing"):
        collection.batch()
    assert not collection.is_complete
    collection.add(courier_frames(BATCH)[1] + "\r\n")
    assert collection.missing == (1, 3)
    with pytest.raises(FrameError, match="frames 1, 3 are missing"):
        collection.batch()


def test_frames_of_two_batches_are_never_mixed() -> None:
    mine, other = courier_frames(BATCH), courier_frames(BATCH[::-1])
    for at in range(len(mine)):
        collection = FrameCollection()
        for number, frame in enumerate(mine):
            if number != at:
                collection.add(frame)
        with pytest.raises(FrameError, match="another batch"):
            collection.add(other[at])
        collection.add(mine[at])
        assert collection.batch() == BATCH


def test_every_altered_octet_of_a_frame_is_noticed() -> None:
    frames = courier_frames(BATCH[:310])
    plain = decode_base45(frames[1].removeprefix(FRAME_PREFIX))
    for at in range(len(plain)):
        altered = bytearray(plain)
        altered[at] ^= 1
        collection = FrameCollection()
        collection.add(frames[0])
        with pytest.raises(FrameError):  # noqa: PT012 - refused when it comes, or when all are there
            collection.add(FRAME_PREFIX + encode_base45(altered))
            collection.batch()


def test_a_frame_that_contradicts_the_same_frame_before_is_refused() -> None:
    frames = courier_frames(BATCH)
    plain = bytearray(decode_base45(frames[0].removeprefix(FRAME_PREFIX)))
    plain[-1] ^= 1
    collection = FrameCollection()
    collection.add(frames[0])
    with pytest.raises(FrameError, match="frame 1 of 3 was scanned before with other contents"):
        collection.add(FRAME_PREFIX + encode_base45(plain))
    assert collection.missing == (2, 3)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        bytes(10),
        bytes(8) + b"\x00\x01x",
        bytes(8) + b"\x02\x01x",
        bytes(8) + b"\x01\x02x",
        bytes(8) + b"\x01\x01" + bytes(301),
    ],
)
def test_what_no_courier_makes_is_no_frame(octets: bytes) -> None:
    with pytest.raises(FrameError):
        FrameCollection().add(FRAME_PREFIX + encode_base45(octets))


def test_another_text_is_no_frame() -> None:
    with pytest.raises(FrameError, match="begins with MPC1:"):
        FrameCollection().add("HTTPS://EXAMPLE.ORG/")
