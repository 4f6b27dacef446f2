"""The keeper of the keys: the one place where the meter's keys change. Decide, commit, then use.

It holds what the server associations look up when a client comes: the roles with their keys, and the counters of each
key. An association that is open goes on with the keys it was opened with, until it ends; `connection` sees to that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from dlms_objects.classes.catalogue import ASSOCIATIONS, AssociationDeclaration
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.store import MeterStore, StoredReceivedCounters
from dlms_objects.purse.outcome import Event, EventCode
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.cipher_keys import CipherKeys, key_name
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.counters import Counters
from dlms_objects.wire.parameters import RoleParameters
from dlms_objects.wire.policy import SecurityPolicy


class KeyKeeper:
    """Holds the keys of one meter, and what hangs on them."""

    def __init__(self, store: MeterStore, keys: MeterKeys, conformance: Conformance) -> None:
        """`keys` are those in the store; `conformance` is what every role may use."""
        self._store = store
        self._keys = keys
        self._conformance = conformance
        self._received: dict[str, StoredReceivedCounters] = {}
        self._counters: dict[str, Counters] = {}
        self._roles: dict[int, RoleParameters] = {}
        self._local_roles: dict[int, RoleParameters] | None = None  # until asked for: a fleet has no local ports
        self._changes = 0
        self._use(keys)

    def roles(self, *, is_local: bool) -> Mapping[int, RoleParameters]:
        """The roles by client SAP, always with the keys in force; some are for the local port only."""
        if not is_local:
            return MappingProxyType(self._roles)
        if self._local_roles is None:
            self._local_roles = self._open_to(is_local=True)
        return MappingProxyType(self._local_roles)

    @property
    def changes(self) -> int:
        """How often keys were replaced since the start."""
        return self._changes

    def name_of(self, client_sap: int) -> str:
        """The name of the key or secret in force (`key_name`), with its SAP; the SAP alone where there is none."""
        of_one = self._keys.associations.get(client_sap)
        key = self._keys.secrets.get(client_sap) if of_one is None else of_one.global_unicast_encryption_key
        return str(client_sap) if key is None else f"{client_sap}/{key_name(key)}"

    def keys(self, client_sap: int) -> CipherKeys:
        """The keys in force of a ciphered association, or of the courier; InvalidValueError where there are none."""
        keys = self._keys.associations.get(client_sap)
        if keys is None:
            raise InvalidValueError(f"there are no keys of client SAP {client_sap}")
        return keys

    def counters(self, client_sap: int) -> Counters:
        """The counters of the key in force; they begin anew with a new key, and go on when an old one comes back."""
        return self._counters[self.name_of(client_sap)]

    def highest_received(self, client_sap: int) -> int:
        """The highest counter received with the key in force, from anyone; 0 before the first."""
        return self._received[self.name_of(client_sap)].highest_of_all()

    def transfer(self, client_sap: int, transfers: Iterable[tuple[int, bytes]], time: CosemDateTime) -> None:
        """Replace keys of an association, durably together with the event; the same keys again change nothing.

        InvalidValueError or KeyUnwrapError as MeterKeys.transferred; StorageError when they could not be stored. Then
        nothing has changed.
        """
        self._replace(self._keys.transferred(client_sap, transfers), client_sap, time)

    def change_secret(self, client_sap: int, secret: bytes, time: CosemDateTime) -> None:
        """Replace the LLS secret of an association, as `transfer` replaces keys; InvalidValueError, StorageError."""
        self._replace(self._keys.with_secret(client_sap, secret), client_sap, time)

    def _replace(self, keys: MeterKeys, client_sap: int, time: CosemDateTime) -> None:
        if keys != self._keys:
            self._store.save_keys(keys, [Event(time=time, code=EventCode.KEY_CHANGED, value=client_sap)])
            self._changes += 1
            self._use(keys)

    def _use(self, keys: MeterKeys) -> None:
        """From now on these keys open associations."""
        self._keys = keys
        for client_sap in keys.associations:
            name = self.name_of(client_sap)
            if name not in self._counters:
                self._received[name] = received = self._store.received_counters(name)
                self._counters[name] = self._store.counters(name, received)
        self._roles.update(self._open_to(is_local=False))
        if self._local_roles is not None:
            self._local_roles.update(self._open_to(is_local=True))

    def _open_to(self, *, is_local: bool) -> dict[int, RoleParameters]:
        """The roles that a client on such a port may take."""
        roles = {
            association.client_sap: self._role(association)
            for association in ASSOCIATIONS
            if is_local or not association.is_local
        }
        return {client_sap: role for client_sap, role in roles.items() if role is not None}

    def _role(self, association: AssociationDeclaration) -> RoleParameters | None:
        """What a client of that association must present; None for one whose secret this meter does not have."""
        client_sap = association.client_sap
        common = RoleParameters(name=association.role, conformance=self._conformance)
        match association.mechanism:
            case Mechanism.NONE:
                return common
            case Mechanism.LLS:
                secret = self._keys.secrets.get(client_sap)
                return None if secret is None else replace(common, mechanism=Mechanism.LLS, password=secret)
            case _:
                return replace(
                    common,
                    mechanism=Mechanism.HLS_GMAC,
                    policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
                    keys=self._keys.associations[client_sap],
                )
