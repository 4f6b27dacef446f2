"""Frames out of a stream: the same however it is cut, whatever stands between them, and never more than one held."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.wire import hdlc_reader
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_frame import HdlcFrame
from dlms_objects.wire.hdlc_reader import MAXIMUM_HELD_OCTETS, HdlcReader
from tests.support.mutation import mutations
from tests.support.seeded import seeded
from tests.support.vectors import load, parts

CLIENT, SERVER = HdlcAddress.client(16), HdlcAddress.server(1, 17)
FLAG = b"\x7e"


def frame(payload: bytes = b"", control: int = 0x10) -> HdlcFrame:
    return HdlcFrame(SERVER, CLIENT, control, payload)


GOOD = frame(b"\xe6\xe6\x00~~\x7d\x7e payload")
NOISE = [b"", b"\x00", b"noise", b"\xa0\x0c", b"\x7f" * 300, bytes(range(127, 256))]
ALL = load("hdlc", valid=True) + load("hdlc", valid=False)


def read(*pieces: bytes, reader_class=HdlcReader) -> list[HdlcFrame]:
    reader = reader_class()
    return [found for piece in pieces for found in taken(reader, piece)]


def taken(reader, octets: bytes) -> list[HdlcFrame]:
    """The frames without the marks of broken ones."""
    return [found for found in reader.receive(octets) if found is not None]


def dropped(reader) -> list[HdlcFrame]:
    """The frames found behind one that was given up."""
    return [found for found in reader.drop_partial() if found is not None]


def octet_by_octet(octets: bytes) -> list[bytes]:
    return [octets[offset : offset + 1] for offset in range(len(octets))]


@pytest.mark.parametrize("vector", ALL, ids=[vector["id"] for vector in ALL])
def test_a_public_stream_gives_its_frames_and_nothing_broken(vector) -> None:
    octets = b"".join(parts(vector))
    reader = HdlcReader()
    found = taken(reader, octets)
    expected = vector["expect"].get("frames") if vector["valid"] else 0
    assert len(found) == (len(parts(vector)) if expected is None else expected)
    assert reader.corrupt_frames == (0 if vector["valid"] else 1)
    assert read(*octet_by_octet(octets)) == found
    if vector["valid"] and vector["class"] != "hdlc-stream":
        assert b"".join(each.encode() for each in found) == octets


@pytest.mark.parametrize("vector", ALL, ids=[vector["id"] for vector in ALL])
def test_whatever_a_public_vector_breaks_the_next_frame_is_found(vector) -> None:
    octets = b"".join(parts(vector))
    assert read(octets, GOOD.encode())[-1] == GOOD
    assert read(*octet_by_octet(octets + GOOD.encode()))[-1] == GOOD


def test_the_three_parts_of_a_captured_push_are_one_apdu() -> None:
    [vector] = [vector for vector in ALL if vector["id"] == "push-iskra550"]
    found = read(*parts(vector))
    assert [each.segmented for each in found] == [True, True, False]
    assert b"".join(each.payload for each in found).hex() == "e6e700" + vector["expect"]["apdu_hex"]


@pytest.mark.parametrize("noise", NOISE, ids=range(len(NOISE)))
def test_noise_before_between_and_after_frames_is_dropped_and_counted(noise: bytes) -> None:
    sent = [GOOD, frame(), frame(b"\x7e" * 40)]
    stream = b"".join(noise + each.encode() for each in sent) + noise
    for pieces in ([stream], octet_by_octet(stream)):
        reader = HdlcReader()
        assert [found for piece in pieces for found in taken(reader, piece)] == sent
        assert reader.dropped_octets + reader.held_octets >= len(noise) * 4


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("tail", [b"", b"\x7e", b"\x7e\x7e\x7e", b"\xff"])
def test_flags_may_be_shared_and_repeated(size: int, tail: bytes) -> None:
    shared = FLAG * size + FLAG.join(each.encode()[1:-1] for each in (GOOD, frame(), GOOD)) + FLAG + tail
    for pieces in ([shared], octet_by_octet(shared)):
        assert read(*pieces) == [GOOD, frame(), GOOD]


def test_three_thousand_flags_are_nothing() -> None:
    reader = HdlcReader()
    assert reader.receive(FLAG * 3000) == []
    assert (reader.held_octets, reader.dropped_octets, reader.corrupt_frames) == (1, 0, 0)
    assert not reader.has_partial_frame
    assert reader.receive(GOOD.encode()[1:]) == [GOOD]


def test_a_frame_comes_with_its_last_flag_and_not_before() -> None:
    for each in (GOOD, frame(), frame(bytes(2030))):
        octets, reader = each.encode(), HdlcReader()
        assert reader.receive(octets[:1]) == []
        for octet in octet_by_octet(octets[1:-1]):
            assert reader.receive(octet) == []
            assert reader.has_partial_frame
        assert reader.receive(octets[-1:] + octets[:9]) == [each]
        assert reader.receive(octets[9:]) == [each]


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30), st.just(FLAG), st.builds(lambda p: frame(p).encode(), st.binary(max_size=60))
        ),
        max_size=8,
    ),
    st.data(),
)
def test_frames_are_the_same_however_the_stream_is_cut(pieces, data) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    cut = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(*cut) == read(stream)


@given(st.binary(max_size=80), st.lists(st.binary(max_size=60), min_size=1, max_size=4))
def test_after_any_noise_frames_are_found_at_the_latest_when_the_rest_is_overdue(noise: bytes, payloads) -> None:
    sent = [frame(payload) for payload in payloads]
    reader = HdlcReader()
    found = taken(reader, noise + b"".join(each.encode() for each in sent))
    while reader.has_partial_frame:
        found += dropped(reader)
    assert found[-len(sent) :] == sent


def test_a_wrong_length_field_does_not_swallow_the_frames_after_it() -> None:
    octets = bytearray(GOOD.encode())
    octets[1] |= 0x07  # says 2047, and its header check is wrong now
    reader = HdlcReader()
    assert reader.receive(bytes(octets) + frame().encode())[-1] == frame()
    assert reader.corrupt_frames >= 1


def test_a_cut_frame_is_given_up_when_its_rest_is_overdue_and_the_one_behind_it_is_found() -> None:
    long = frame(bytes(2000)).encode()
    reader = HdlcReader()
    assert reader.receive(long[:500] + GOOD.encode()) == []
    assert reader.has_partial_frame
    assert reader.drop_partial() == [None, GOOD]
    assert reader.drop_partial() == []
    assert (reader.corrupt_frames, reader.dropped_octets) == (1, 499)
    assert reader.receive(long[:500]) == []
    assert reader.drop_partial() == [None]
    assert reader.held_octets == 0
    assert reader.receive(GOOD.encode()) == [GOOD]


@pytest.mark.parametrize("start", ["a00702", "a008022221", "a00802210310", "a009022103100000", "a4ff02020202"])
def test_a_header_that_no_rest_makes_good_is_dropped_at_once(start: str) -> None:
    reader = HdlcReader()
    assert reader.receive(FLAG + bytes.fromhex(start) + b"\x00\x00") in ([], [None])
    assert reader.corrupt_frames + reader.has_partial_frame == 1
    assert read(FLAG + bytes.fromhex(start), GOOD.encode())[-1:] == [GOOD]


@pytest.mark.parametrize("total", [7, 8, 9, 20, 2047])
@pytest.mark.parametrize("seed", range(3))
def test_never_more_than_one_frame_is_held(total: int, seed: int) -> None:
    dice, reader = random.Random(seed), HdlcReader()
    good_head = frame(bytes(2030)).encode()[:12]
    for _ in range(200):
        reader.receive(dice.choice((FLAG, good_head, dice.randbytes(total), b"\xa7\xff", b"\x00" * total)))
        assert reader.held_octets <= MAXIMUM_HELD_OCTETS


SAMPLES = [b"".join(parts(vector)) for vector in ALL] + [GOOD.encode() + frame().encode() + GOOD.encode()]


def worst_fault(reader_class, *, count: int = 1500) -> str:
    """The first law that a mutated stream breaks, "" when there is none."""
    for octets in mutations(SAMPLES, count=count):
        began_s = time.process_time()
        try:
            faults = broken_laws(reader_class, octets)
        except Exception as error:  # noqa: BLE001 - any escape is what is searched for
            faults = {type(error).__name__: True}
        faults["too slow"] = time.process_time() - began_s > 0.05 * (4 + len(octets) / 2000)
        for fault, is_there in faults.items():
            if is_there:
                return fault
    return ""


def broken_laws(reader_class, octets: bytes) -> dict[str, bool]:
    """The laws of a reader, and whether these octets break them."""
    whole, reader = read(octets, reader_class=reader_class), reader_class()
    cut = [each for start in range(0, len(octets), 5) for each in taken(reader, octets[start : start + 5])]
    held_octets = reader.held_octets
    for _ in range(held_octets):
        reader.drop_partial()
    two = GOOD.encode() + GOOD.encode()[1:]  # the flag between them is shared
    return {
        "held too much": held_octets > MAXIMUM_HELD_OCTETS,
        "the cut matters": cut != whole,
        "a frame that was not there": any(each.encode() not in octets for each in whole),
        "the next frames are lost": reader.receive(two) != [GOOD, GOOD],
    }


def test_no_mutation_breaks_a_law_of_the_reader() -> None:
    assert worst_fault(HdlcReader) == ""


BUGS = {
    "a corrupt frame is answered as need-data": (
        r"flag = self\._next_flag_after_corrupt\(octets, start\)",
        "self._held = octets[start - 1 :]; break",
    ),
    "a corrupt frame ends the search": (r"flag = self\._next_flag_after_corrupt\(octets, start\)", "break"),
    "the flag that ends a frame is used up": (r"flag = end\n", "flag = octets.find(FLAG_OCTET, end + 1)\n"),
    "flags are the end of a frame": (r"end = start \+ \(\(octets.*\n", "end = octets.find(FLAG, start)\n"),
    "the check of a header is kept for the next": (
        r"            self\._has_good_header = False\n        return frames",
        "        return frames",
    ),
    "one octet is not enough for a length": (r"if start < last:", "if True:"),
    "no flag is looked for at the end": (r"if octets\[end\] != FLAG:", "if False:"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_mutations_find_a_seeded_bug(bug: str) -> None:
    assert worst_fault(seeded(hdlc_reader, "HdlcReader", *BUGS[bug])) != ""
