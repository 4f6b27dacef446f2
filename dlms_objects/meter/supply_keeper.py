"""The keeper of the supply: the one place where the meter's load switch changes. Decide, commit, then switch.

The rules are `purse.supply`; here is what lasts: the control state, and how much the household did not draw while its
supply was off, so that its register stands still then. A switch that cannot be stored does not happen, and a local one
is tried again at the next check. Imported by `meter`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from twisted.logger import Logger

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse.outcome import Event, EventCode
from dlms_objects.purse.state import PurseState
from dlms_objects.purse.supply import (
    ControlMode,
    ControlState,
    SupplyPolicy,
    Switching,
    local_switching,
    remote_disconnect,
    remote_reconnect,
)
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime

_KEPT_AS = "supply"
LOCAL = 0  # the value of a supply event: the meter's own policy; else the client SAP of who commanded it

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyState:
    """What is kept: the control state; the register's reading (Wh) since the supply is off, and what was not drawn."""

    control: ControlState = ControlState.CONNECTED
    off_reading_wh: int | None = None
    not_drawn_wh: int = 0


class SupplyKeeper:
    """Holds the load switch of one meter. `drawn_wh` is what the household would draw with its supply always on."""

    def __init__(self, store: MeterStore, policy: SupplyPolicy | None, drawn_wh: Callable[[datetime], int]) -> None:
        """Load the state; StorageError when it was altered to none."""
        self._store = store
        self._policy = policy
        self._drawn_wh = drawn_wh
        kept = store.kept(_KEPT_AS)
        try:
            self._state = SupplyState() if kept is None else msgspec.json.decode(kept, type=SupplyState)
        except (msgspec.DecodeError, InvalidValueError) as error:
            raise StorageError(f"the meter's store holds no state of the supply: {error}") from error

    @property
    def control(self) -> ControlState:
        """The control state as last made durable."""
        return self._state.control

    @property
    def mode(self) -> ControlMode:
        """Whether the meter's own policy has a say."""
        return ControlMode.REMOTE if self._policy is None else ControlMode.REMOTE_AND_LOCAL

    @property
    def is_on(self) -> bool:
        """Whether the household has supply."""
        return self._state.control is ControlState.CONNECTED

    def energy_wh(self, now: datetime) -> int:
        """The active energy import register at that instant, Wh: it stands still while the supply is off."""
        state = self._state
        if state.off_reading_wh is not None:
            return state.off_reading_wh
        return max(0, self._drawn_wh(now) - state.not_drawn_wh)

    def after_check(self, state: PurseState, now: datetime) -> None:
        """Do what the policy wants after a check of the purse; a store that fails means: nothing, until the next."""
        switching = local_switching(self._policy, self.control, state, now)
        if switching is not None:
            try:
                self._switch(switching, state, now, LOCAL)
            except StorageError as error:
                log.error("the supply could not be switched: {error}", error=error)

    def disconnect(self, state: PurseState, now: datetime, client_sap: int) -> None:
        """remote_disconnect, commanded by a client; StorageError when it did not happen."""
        self._switch(remote_disconnect(self.control), state, now, client_sap)

    def reconnect(self, state: PurseState, now: datetime, client_sap: int) -> None:
        """remote_reconnect; with a policy the supply comes on at once when nothing waits. StorageError as above."""
        self._switch(remote_reconnect(self._policy, self.control), state, now, client_sap)
        self.after_check(state, now)

    def _switch(self, switching: Switching | None, state: PurseState, now: datetime, cause: int) -> None:
        if switching is None:
            return
        wanted = self._switched(switching.control, now)
        is_on = wanted.control is ControlState.CONNECTED
        zone = time_zone(state.settings.time_zone)
        event = Event(
            time=CosemDateTime.from_instant(now, zone),
            code=EventCode.SUPPLY_ON if is_on else EventCode.SUPPLY_OFF,
            fee_item=switching.number,
            value=cause,
            due=None if switching.due is None else CosemDateTime.from_civil(switching.due),
        )
        events = [event] if is_on != self.is_on else []
        self._store.keep({_KEPT_AS: msgspec.json.encode(wanted)}, events)
        self._state = wanted

    def _switched(self, control: ControlState, now: datetime) -> SupplyState:
        state = self._state
        if control is ControlState.CONNECTED and state.off_reading_wh is not None:
            not_drawn_wh = max(0, self._drawn_wh(now) - state.off_reading_wh)
            return SupplyState(control=control, not_drawn_wh=not_drawn_wh)
        if control is not ControlState.CONNECTED and state.off_reading_wh is None:
            return replace(state, control=control, off_reading_wh=self.energy_wh(now))
        return replace(state, control=control)
