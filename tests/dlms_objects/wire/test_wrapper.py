"""The wrapper: the same frames whole, octet by octet and joined; a corrupt header is never "need more"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.wrapper import Frame, Wrapper, encode_frame, first_destination
from tests.support.mutation import mutations

ports = st.integers(0, 0xFFFF)
frames = st.builds(Frame, source=ports, destination=ports, apdu=st.binary(max_size=40))


def stream(sent):
    return b"".join(encode_frame(frame.source, frame.destination, frame.apdu) for frame in sent)


def test_the_header_is_version_source_destination_length():
    octets = bytes.fromhex("0001001000010003620000")
    assert encode_frame(16, 1, b"\x62\x00\x00") == octets
    assert list(Wrapper().receive(octets)) == [Frame(source=16, destination=1, apdu=b"\x62\x00\x00")]


@given(st.lists(frames, max_size=6), st.data())
def test_frames_are_the_same_however_the_stream_is_cut(sent, data):
    octets = stream(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    wrapper = Wrapper()
    received = []
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        received += wrapper.receive(octets[start:end])
    assert received == sent
    assert not wrapper.has_partial_frame


@given(frames)
def test_a_frame_comes_out_with_its_last_octet_and_not_before(frame):
    wrapper, octets = Wrapper(), stream([frame])
    for octet in octets[:-1]:
        assert list(wrapper.receive(bytes((octet,)))) == []
        assert wrapper.has_partial_frame
    assert list(wrapper.receive(octets[-1:])) == [frame]


def test_frames_not_taken_stay_for_the_next_call():
    wrapper = Wrapper()
    sent = [Frame(source=1, destination=2, apdu=bytes((number,))) for number in range(3)]
    assert next(wrapper.receive(stream(sent))) == sent[0]
    wrapper.receive(b"")
    assert list(wrapper.receive(b"")) == sent[1:]


@pytest.mark.parametrize("header", ["0002001000010001", "0100001000010001", "0001001000010011", "7ea00801020110378d7e"])
def test_a_corrupt_header_is_reported_after_the_frames_before_it_and_for_ever(header):
    good = Frame(source=1, destination=2, apdu=b"\x62\x00")
    wrapper = Wrapper(maximum_apdu_length=16)
    received = wrapper.receive(stream([good]) + bytes.fromhex(header) + bytes(100_000))
    assert next(received) == good
    with pytest.raises(MalformedError):
        next(received)
    with pytest.raises(MalformedError):
        list(wrapper.receive(stream([good])))
    assert len(wrapper._buffer) == 8


def test_an_apdu_as_long_as_the_limit_passes():
    frame = Frame(source=1, destination=2, apdu=bytes(16))
    assert list(Wrapper(maximum_apdu_length=16).receive(stream([frame]))) == [frame]


@pytest.mark.parametrize(("port", "length"), [(0x10000, 1), (-1, 1), (1, 0x10000)])
def test_what_does_not_fit_sixteen_bits_is_not_sent(port, length):
    with pytest.raises(InvalidValueError):
        encode_frame(port, 1, bytes(length))


def over_the_limit(wrapper_class):
    """The first mutated stream on which a frame over the limit of 8 octets comes out, or None."""
    sent = stream([Frame(source=1, destination=2, apdu=bytes(length)) for length in (3, 8, 0)])
    for octets in mutations([sent], count=4000):
        try:
            if any(len(frame.apdu) > 8 for frame in wrapper_class(maximum_apdu_length=8).receive(octets)):
                return octets
        except MalformedError:
            continue
    return None


def test_no_mutation_brings_a_frame_over_the_limit_or_anything_but_malformed():
    assert over_the_limit(Wrapper) is None


def test_the_mutations_find_a_wrapper_without_its_limit():
    def careless(*, maximum_apdu_length):
        return Wrapper()

    assert over_the_limit(careless) is not None


def test_whom_a_stream_is_for_is_known_once_its_first_header_is_there() -> None:
    octets = encode_frame(16, 300, b"request")
    assert [first_destination(octets[:count]) for count in (0, 7, 8, len(octets))] == [None, None, 300, 300]
    with pytest.raises(MalformedError, match="version 1"):
        first_destination(b"GET / HTTP/1.1")
