"""The conformance block against the bits as gurux-dlms names them."""

from gurux_dlms.enums import Conformance as GuruxConformance

from dlms_objects.wire.conformance import CONFORMANCE_BITS, Conformance

GURUX_SPELLING = {
    "ATTRIBUTE0_SUPPORTED_WITH_SET": "ATTRIBUTE_0_SUPPORTED_WITH_SET",
    "ATTRIBUTE0_SUPPORTED_WITH_GET": "ATTRIBUTE_0_SUPPORTED_WITH_GET",
    "UNCONFIRMED_WRITE": "UN_CONFIRMED_WRITE",
    "PRIORITY_MGMT_SUPPORTED": "PRIORITY_MGMT_SUPPORTED",
}


def test_every_bit_is_where_gurux_has_it():
    for member in Conformance:
        gurux = GuruxConformance[GURUX_SPELLING.get(member.name, member.name)]
        reflected = int(f"{int(gurux):0{CONFORMANCE_BITS}b}"[::-1], 2)
        assert int(member) == reflected, member


def test_reserved_bits_of_a_peer_are_kept():
    assert int(Conformance(0x80_0000 | Conformance.GET)) == 0x80_0010


def test_what_both_sides_can_do_is_the_intersection():
    proposed, offered = Conformance.GET | Conformance.SET, Conformance.GET | Conformance.ACTION
    assert proposed & offered == Conformance.GET
