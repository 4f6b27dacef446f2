"""Six weeks of a household on a recorded disk, and what a store must still know after a power cut in them.

Everything goes through a real meter and real associations: top-ups, reversals, amounts, parameters, a key, the clock.
`Acknowledged` is what somebody has been told by then; `check_store` is the judge of an image.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dlms_objects.classes.catalogue import CLOCK_NAME, security_setup_name
from dlms_objects.classes.standard import CLOCK, SECURITY_SETUP
from dlms_objects.meter.config import MASTER_KEY_NAME
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.store import MeterStore
from dlms_objects.purse import operations
from dlms_objects.purse.chain import fold, verify
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.purse.state import LAST_SEQUENCE
from dlms_objects.transport.credentials import load_master_key
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.key_wrap import wrap_key
from tests.support.meters import Client, MeterWorld, daily, identifier, plain_parameters
from tests.support.purses import ENERGY
from tests.support.recorded_disk import RecordedDisk

DAY_S = 86_400
LATER = datetime(2026, 12, 1, tzinfo=UTC)  # after everything that happens here
NEW_KEY = b"N" * 16
READER_SAP = READER_SETUP = 2
DEDUCTED_ITEMS = {1, 2, 3}
_LAST_ID = bytes([0xFF] * 16)
_WEEKLY = {"frequency": "weekly", "day": 3, "time": "02:30:00"}
_READ = {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute": 2}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What was told to somebody before operation `at` of the disk: entries, revisions of items, used ids, the key."""

    at: int
    rows: tuple[bytes, ...]
    revisions: Mapping[int, int]
    has_new_key: bool


class WrongStoreError(Exception):
    """A store that is not what was acknowledged; not an assertion, so that it can be told from a broken test."""


class RecordedHousehold:
    """A meter on a recorded disk and its six weeks."""

    def __init__(self, folder: Path, synchronous: str | None = None) -> None:
        """Make the meter; its first start is the first thing that is recorded."""
        self.world = MeterWorld(folder, start=False)
        self.world.inactivity_s = 1e9
        self.disk = RecordedDisk(self.world.folder, synchronous)
        self.told: list[Acknowledged] = []
        self._ids = 0
        self._has_new_key = False

    def live(self) -> None:
        """All six weeks, with the power switched off and on in good order in the middle."""
        with self.disk.recording():
            self.world.start()
            self._tell()
            client = self.world.connect()
            self._configure(client)
            self._days(client, 20)
            client.release()
            self.world.restart()
            client = self.world.connect()
            self._change(client)
            self._days(client, 20)
            self.world.stop()

    def _configure(self, client: Client) -> None:
        self._top_up(client, 20_000)
        client.set_item("parameters", daily(), 1)
        client.set_item(
            "parameters", plain_parameters(kind="water", amount_source="cloud", amount=0, schedule=_WEEKLY), 2
        )
        price = {"price": 56, "scaler": -3, "register": _READ}
        electricity = daily(kind="electricity", amount_source="metered", amount=0, unit_price=price)
        client.set_item("parameters", electricity, 3)
        self._tell()

    def _days(self, client: Client, days: int) -> None:
        for day in range(days):
            self.world.pass_time(DAY_S, DAY_S / 2)
            self._tell()
            if day % 3 == 0:
                self._top_up(client, 3_000)
            if day % 4 == 1:
                reversal = {"transaction_id": self._identifier(), "sequence": client.purse("journal_head")["sequence"]}
                client.do("reverse", reversal)
                self._tell()
            if day % 7 == 2:
                due = client.item("status", 2)["next_due"][:10]
                client.do_item("set_amount", {"due": due, "amount": 450, "reference": self._identifier()}, 2)
                self._tell()
            if day % 5 == 4:
                client.do("acknowledge", client.purse("journal_head"))

    def _change(self, client: Client) -> None:
        client.set_item("parameters", daily(amount=1_100), 1)
        self._tell()
        client.set(CLOCK, CLOCK_NAME, "time", "2026-06-21T09:00:00+08:00")
        master = load_master_key(self.world.folder / "keys" / MASTER_KEY_NAME).key
        transfer = [{"key_id": 0, "key_wrapped": wrap_key(master, NEW_KEY).hex()}]
        client.call(SECURITY_SETUP, security_setup_name(READER_SETUP), "key_transfer", transfer)
        self._has_new_key = True
        self._tell()

    def _top_up(self, client: Client, amount: int) -> None:
        self._ids += 1
        answer = client.top_up(self._ids, amount)
        assert answer["outcome"] == "done", answer
        self._tell()

    def _identifier(self) -> str:
        self._ids += 1
        return identifier(self._ids)

    def _tell(self) -> None:
        """All that is in the journal now may have been read by somebody."""
        keeper = self.world.meter.keeper
        revisions = {item.number: item.revision for item in keeper.state.items}
        rows = tuple(self.world.meter._store.rows(1, keeper.state.head.sequence, LAST_SEQUENCE))
        self.told.append(Acknowledged(len(self.disk.operations), rows, revisions, self._has_new_key))


def check_store(path: Path, told: Acknowledged | None, title: SystemTitle) -> None:
    """Open what a power cut left; WrongStoreError unless nothing told is lost or doubled and the meter goes on.

    `told` None: nothing was told. What comes up as StorageError is the caller's to judge.
    """
    store = MeterStore.open(path)
    try:
        keeper = PurseKeeper(store, lambda _now: {ENERGY: 2_000_000_000})
        entries = _sound_entries(store, keeper, title)
        if told is not None:
            _check_told(store, keeper, told)
        keeper.verify_journal(LATER)
        answer = keeper.carry_out(LATER, lambda state: operations.top_up(state, store, LATER, _LAST_ID, 1_000_000))
        made = keeper.check(LATER + timedelta(days=1))
        due = any(item.parameters is not None and item.parameters.enabled for item in keeper.state.items)
        if keeper.state.tamper or answer.outcome is not OutcomeCode.DONE or (due and not made):
            raise WrongStoreError(f"it does not go on: {answer.outcome.name}, {made} deductions")
        if len(_sound_entries(store, keeper, title)) <= len(entries):
            raise WrongStoreError("what it goes on with is not in the journal")
    finally:
        store.close()


def _sound_entries(store: MeterStore, keeper: PurseKeeper, title: SystemTitle) -> list[Entry]:
    entries = [Entry.from_row(row) for row in store.rows(1, LAST_SEQUENCE, LAST_SEQUENCE)]
    state = keeper.state
    if state.title != title or fold(entries) != state.balance:
        raise WrongStoreError(f"the sum of the entries is {fold(entries)}, the balance {state.balance}")
    if verify(entries, JournalHead.empty(title), 0) != state.head:
        raise WrongStoreError("the chain does not end at the journal's head")
    taken = Counter(
        (entry.fee_item, entry.due.octets) if entry.kind is EntryKind.DEDUCTION else (entry.kind, entry.reference)
        for entry in entries
    )
    if any(times > 1 for times in taken.values()):
        raise WrongStoreError("an occurrence, or an id, is in the journal twice")
    for entry in entries:
        if entry.kind is not EntryKind.DEDUCTION and store.used_id(entry.reference) is None:
            raise WrongStoreError(f"the id of entry {entry.sequence} is not spent")
    return entries


def _check_told(store: MeterStore, keeper: PurseKeeper, told: Acknowledged) -> None:
    if tuple(store.rows(1, len(told.rows), LAST_SEQUENCE)) != told.rows:
        raise WrongStoreError("an acknowledged entry is lost")
    for number, revision in told.revisions.items():
        if keeper.state.item(number).revision < revision:
            raise WrongStoreError(f"acknowledged parameters of item {number} are lost")
    keys = store.keys()
    if keys is None:
        raise WrongStoreError("the keys are lost")
    if told.has_new_key and keys.associations[READER_SAP].global_unicast_encryption_key != NEW_KEY:
        raise WrongStoreError("an acknowledged key is lost")
