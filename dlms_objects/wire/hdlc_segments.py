"""APDUs over HDLC: the LLC header before them, their cut into information fields, and the way back with a limit.

Not here: sequence numbers (`hdlc_window`), frames. Imported by the links.
"""

from typing import Final

from dlms_objects.wire.errors import MalformedError

LLC_COMMAND: Final = b"\xe6\xe6\x00"
"""Before what a client sends."""
LLC_RESPONSE: Final = b"\xe6\xe7\x00"
"""Before what a server sends."""
LLC_OCTETS: Final = 3


def segments(llc: bytes, apdu: bytes, information_octets: int) -> list[bytes]:
    """The information fields, of at most that many octets, that carry one APDU."""
    octets = llc + apdu
    return [octets[offset : offset + information_octets] for offset in range(0, len(octets), information_octets)]


class Reassembly:
    """The APDU that is coming in, at most `maximum_apdu_octets` long."""

    def __init__(self, llcs: tuple[bytes, ...], maximum_apdu_octets: int) -> None:
        """`llcs` are the headers that may stand before an APDU; when `needs_llc` is taken back it may come bare."""
        self._llcs = llcs
        self.needs_llc = True
        self._limit_octets = LLC_OCTETS + maximum_apdu_octets
        self._parts: list[bytes] = []
        self._octet_count = 0

    @property
    def is_under_way(self) -> bool:
        """True while segments are kept that wait for their last one."""
        return bool(self._parts)

    def add(self, part: bytes, *, segmented: bool) -> bytes | None:
        """The APDU when this was its last part, else None.

        MalformedError, and nothing is kept, over the limit, without an LLC header, or for a part without octets.
        """
        self._octet_count += len(part)
        if not part or self._octet_count > self._limit_octets:
            self.drop()
            raise MalformedError(f"an empty part of an APDU over HDLC, or more than {self._limit_octets} octets of it")
        self._parts.append(part)
        if segmented:
            return None
        octets = b"".join(self._parts)
        self.drop()
        if octets[:LLC_OCTETS] in self._llcs:
            return octets[LLC_OCTETS:]
        if self.needs_llc:
            raise MalformedError(f"no LLC header stands before an APDU over HDLC: {octets[:LLC_OCTETS].hex()}")
        return octets

    def drop(self) -> None:
        """Forget what has come."""
        self._parts = []
        self._octet_count = 0
