"""Who a fleet's meters are: the SAP, system title and keys of each, all worked out from the fleet's seed.

FOR TESTS AND LOAD ONLY. Whoever knows the seed knows every key; a meter of a household gets random keys from `setup`.
"""

import hmac
from collections.abc import Iterator

from dlms_objects.classes.catalogue import ASSOCIATIONS, Role
from dlms_objects.classes.courier_class import COURIER_SAP
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.setup import HEAD_END_TITLE, MAKER
from dlms_objects.transport.credentials import KEY_LENGTH, CourierCredentials, MeterCredentials
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys

# What no logical device may have as its SAP: the addresses that mean all stations, of one octet, of two in HDLC, and of
# two in the wrapper. (0, which means no station, is below the first meter.)
ALL_STATIONS = (0x7F, 0x3FFF, 0xFFFF)
LARGEST_FLEET = 0xFFFF - len(ALL_STATIONS)
"""How many meters one address takes: a SAP each, 1..65534 without those that mean all stations."""


def sap_of(number: int) -> int:
    """The SAP of meter `number`, 1..LARGEST_FLEET: its number, or one more for each SAP below that no meter has."""
    sap = number
    for reserved in ALL_STATIONS:
        sap += sap >= reserved
    return sap


class FleetIdentity:
    """Titles and keys of the meters of one seed; the same seed gives the same for ever."""

    def __init__(self, seed: int) -> None:
        """`seed` is any whole number."""
        self._secret = f"MeterPurse fleet for tests and load, seed {seed}".encode()
        self._prefix = MAKER + self._derive("titles")[:3]

    def title(self, number: int) -> SystemTitle:
        """The system title of meter `number`; fleets of other seeds have others, but for a chance of 1 in 2^24."""
        return SystemTitle(self._prefix + sap_of(number).to_bytes(2, "big"))

    def serial_number(self, number: int) -> str:
        """The serial number of meter `number`."""
        return f"fleet-{sap_of(number):05d}"

    def keys(self, number: int) -> MeterKeys:
        """All keys of meter `number`, as its store holds them."""
        return MeterKeys(
            associations={
                association.client_sap: CipherKeys(
                    global_unicast_encryption_key=self._key(number, association.role, "encryption"),
                    authentication_key=self._key(number, association.role, "authentication"),
                )
                for association in ASSOCIATIONS
                if association.is_ciphered
            }
            | {COURIER_SAP: self.courier(number).cipher_keys()},
            master_key=self._derive(f"{number} master")[:KEY_LENGTH],
        )

    def courier(self, number: int) -> CourierCredentials:
        """What the head-end of meter `number` needs to open what its courier brings."""
        return CourierCredentials(
            system_title=self.title(number),
            head_end_title=HEAD_END_TITLE,
            encryption_key=self._key(number, "courier", "encryption"),
            authentication_key=self._key(number, "courier", "authentication"),
        )

    def credentials(self, role: Role, count: int) -> Iterator[MeterCredentials]:
        """What a client of that role needs to open an association with each of the first `count` meters."""
        client_sap = next(association.client_sap for association in ASSOCIATIONS if association.role is role)
        for number in range(1, count + 1):
            yield MeterCredentials(
                system_title=self.title(number),
                client_sap=client_sap,
                server_sap=sap_of(number),
                encryption_key=self._key(number, role, "encryption"),
                authentication_key=self._key(number, role, "authentication"),
            )

    def _key(self, number: int, role: str, use: str) -> bytes:
        return self._derive(f"{number} {role} {use}")[:KEY_LENGTH]

    def _derive(self, label: str) -> bytes:
        return hmac.digest(self._secret, label.encode(), "sha256")
