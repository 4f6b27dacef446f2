"""One HDLC frame and its octets: every size, every form of address, and nothing with a wrong bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import hdlc_frame
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_control import FrameKind
from dlms_objects.wire.hdlc_frame import LONGEST_FRAME_OCTETS, HdlcFrame, decode_frame, has_good_checksum
from tests.support.mutation import first_escape
from tests.support.seeded import seeded
from tests.support.vectors import load, parts

CLIENT = HdlcAddress.client(16)
FORMS = [HdlcAddress.server(1), HdlcAddress.server(1, 17), HdlcAddress(upper=1, lower=17, octet_count=4)]
ADDRESSES = st.sampled_from([*FORMS, CLIENT, HdlcAddress.server(0x3FFF, 0x3FFE)])
frames = st.builds(HdlcFrame, ADDRESSES, ADDRESSES, st.integers(0, 255), st.binary(max_size=2030), st.booleans())
WHOLE = [vector for vector in load("hdlc", valid=True) if vector["class"] == "hdlc-frame"]


def body(octets: bytes) -> bytes:
    """What stands between the flags."""
    assert octets[:1] == octets[-1:] == b"\x7e"
    return octets[1:-1]


@pytest.mark.parametrize("vector", WHOLE, ids=[vector["id"] for vector in WHOLE])
def test_a_public_frame_means_what_its_source_says_and_is_made_again_octet_for_octet(vector) -> None:
    expect, [octets] = vector["expect"], parts(vector)
    frame = decode_frame(body(octets))
    assert frame.kind.name == expect["frame"]
    assert (frame.destination.octets.hex(), frame.source.octets.hex()) == (expect["dest"], expect["src"])
    assert (f"{frame.control:02x}", frame.payload.hex()) == (expect["control"], expect["info"])
    assert frame.segmented is expect["segmented"]
    if frame.kind is FrameKind.I:
        assert (frame.sent, frame.received, frame.is_last) == (expect["ns"], expect["nr"], expect["pf"])
    assert frame.encode() == octets


@pytest.mark.parametrize("segmented", [False, True])
@pytest.mark.parametrize("server", FORMS, ids=["1", "2", "4"])
@pytest.mark.parametrize("to_server", [False, True])
def test_the_length_field_is_exact_for_every_size_there_is(
    to_server: bool, server: HdlcAddress, segmented: bool
) -> None:
    destination, source = (server, CLIENT) if to_server else (CLIENT, server)
    empty = HdlcFrame(destination, source, 0x10, b"", segmented)
    header = 3 + 1 + server.octet_count
    longest = LONGEST_FRAME_OCTETS - header - 4
    assert longest >= 2030
    octets = bytes(n * 7 & 0xFF for n in range(longest + 1))
    sizes = set()
    for count in range(longest + 1):
        frame = empty._replace(payload=octets[:count])
        sent = frame.encode()
        length = int.from_bytes(sent[1:3], "big") & 0x7FF
        assert length == len(sent) - 2 == header + 2 + (count + 2 if count else 0)
        assert decode_frame(sent[1:-1]) == frame
        sizes.add(length)
    assert sizes == {header + 2, *range(header + 5, LONGEST_FRAME_OCTETS + 1)}
    with pytest.raises(InvalidValueError):
        empty._replace(payload=octets).encode()


def test_the_sizes_at_which_gurux_fails_are_exact() -> None:
    for total in range(258, 265):
        sent = HdlcFrame(CLIENT, FORMS[0], 0x30, bytes(total - 11)).encode()
        assert (len(sent), int.from_bytes(sent[1:3], "big") & 0x7FF) == (total, total - 2)


@pytest.mark.parametrize("total", range(7))
def test_fewer_octets_than_a_header_and_its_check_are_no_frame(total: int) -> None:
    with pytest.raises(MalformedError):
        decode_frame(b"\xa0" + bytes((total,)) + bytes(total - 2) if total >= 2 else bytes(total))


@given(frames)
def test_a_frame_survives_its_octets(frame: HdlcFrame) -> None:
    assert decode_frame(body(frame.encode())) == frame


def test_the_checksum_is_that_of_the_standard() -> None:
    assert hdlc_frame._checksum(b"123456789") == 0x906E
    assert has_good_checksum(b"123456789\x6e\x90")


def test_no_single_wrong_bit_is_taken() -> None:
    for payload in (b"", b"\xe6\xe6\x00\x60\x1d"):
        good = body(HdlcFrame(FORMS[1], CLIENT, 0x10, payload).encode())
        for bit in range(len(good) * 8):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            with pytest.raises(MalformedError):
                decode_frame(bytes(bad))


def sealed(header: str, payload: bytes = b"", *, with_hcs: bool = True) -> bytes:
    """The octets between the flags for a header given in hex, with good checks, whatever else is wrong with it."""
    octets = bytes.fromhex(header)
    length = len(octets) + 4 + (len(payload) + 2 if with_hcs else 0) - 2
    octets = (0xA000 | length).to_bytes(2, "big") + octets[2:]
    if with_hcs:
        octets += hdlc_frame._checksum(octets).to_bytes(2, "little") + payload
    return octets + hdlc_frame._checksum(octets).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("header", "payload", "with_hcs"),
    [
        ("0000020203 21 10", b"x", True),  # an address of three octets
        ("0000 0202020202 21 10", b"x", True),  # one of five
        ("0000 21 020202", b"", False),  # the source runs past the end
        ("0000 02020203 02", b"", False),
        ("0000 21 03 10", b"", True),  # an HCS, and nothing it stands before
        ("0000 21 10", b"", False),
    ],
)
def test_a_header_that_is_none_is_refused_though_its_checks_are_good(
    header: str, payload: bytes, with_hcs: bool
) -> None:
    octets = sealed(header, payload, with_hcs=with_hcs)
    assert has_good_checksum(octets)
    with pytest.raises(MalformedError):
        decode_frame(octets)


def test_a_wrong_header_check_is_refused_though_the_frame_check_is_good() -> None:
    good = sealed("0000 21 03 10", b"payload")
    assert decode_frame(good).payload == b"payload"
    bad = bytearray(good[:-2])
    bad[5] ^= 1
    bad += hdlc_frame._checksum(bytes(bad)).to_bytes(2, "little")
    with pytest.raises(MalformedError, match="HCS"):
        decode_frame(bytes(bad))


SAMPLES = [decode_frame(body(octets)).encode()[1:-1] for vector in WHOLE for octets in parts(vector)]


def resealed(decoder):
    """The decoder behind checks made good again, and AssertionError when what it takes is not what it would make."""

    def decode(octets: bytes) -> None:
        octets = octets[:-2]
        if len(octets) > 2:
            form = octets[0] & 0xF8 | len(octets) + 2 >> 8 & 7
            octets = bytes((form, len(octets) + 2 & 0xFF)) + octets[2:]
        octets += hdlc_frame._checksum(octets).to_bytes(2, "little")
        assert decoder(octets).encode()[1:-1] == octets

    return decode


def test_no_mutation_brings_anything_but_a_frame_or_malformed() -> None:
    assert SAMPLES
    assert first_escape(decode_frame, SAMPLES) is None
    assert first_escape(resealed(decode_frame), SAMPLES) is None


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"length < SHORTEST_FRAME_OCTETS or \(", "("),
        (r"    elif length < payload:\n        raise .*\n", ""),
        (r"address_length\(body, source\)\)", "2 if body[source + 9] else 4)"),
    ],
    ids=["no shortest length", "no check of the header's end", "looks too far ahead"],
)
def test_the_mutations_find_a_seeded_bug(pattern: str, replacement: str) -> None:
    decoder = seeded(hdlc_frame, "decode_frame", pattern, replacement)
    assert first_escape(resealed(decoder), [sample[:12] for sample in SAMPLES]) is not None
