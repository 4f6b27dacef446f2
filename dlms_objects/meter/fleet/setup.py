"""Making a fleet: its stores with a household in each meter, a key ring for each association, and its configuration.

The configuration is written last: a folder without one holds no fleet, however far its making came.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from dlms_objects.classes.catalogue import ASSOCIATIONS, Role
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.courier_keeper import head_end_value
from dlms_objects.meter.database import MeterDatabase, Statement
from dlms_objects.meter.fleet.config import CONFIG_NAME, FAULTS_NAME, FaultsConfig
from dlms_objects.meter.fleet.households import Household
from dlms_objects.meter.fleet.identity import LARGEST_FLEET, FleetIdentity
from dlms_objects.meter.kept_values import kept_statements
from dlms_objects.meter.key_table import key_statements
from dlms_objects.meter.setup import HEAD_END_TITLE
from dlms_objects.meter.store import MeterStore
from dlms_objects.meter.store_file import NewMeter, create_store
from dlms_objects.program_folder import AlreadyThereError
from dlms_objects.purse import snapshot
from dlms_objects.purse.state import JOURNAL_CAPACITY, PurseState, Settings
from dlms_objects.transport.credentials import save_key_ring
from dlms_objects.values.money import Currency

Stores = Literal["shared", "own"]

STORE_NAMES: dict[Stores, str] = {"shared": "fleet.sqlite", "own": "stores"}
KEYS_NAME = "keys"
TOGETHER = 100  # meters in one transaction
_CURRENCY = Currency("CNY", -2)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFleet:
    """What a fleet is to be: so many meters of that seed, their clocks, and what was paid into each.

    `clock_start` is aware; the clocks run `clock_rate` times as fast as real time.
    """

    meters: int
    seed: int
    clock_start: datetime
    clock_rate: float
    listen: str = "127.0.0.1:4059"
    stores: Stores = "shared"
    time_zone: str = "Asia/Shanghai"
    top_ups: int = 1

    def __post_init__(self) -> None:
        """Refuse a fleet that cannot be (InvalidValueError)."""
        if not 1 <= self.meters <= LARGEST_FLEET:
            raise InvalidValueError(
                f"a fleet on one address is 1..{LARGEST_FLEET} meters, not {self.meters}; run several on several ports"
            )
        if not 0 <= self.top_ups < JOURNAL_CAPACITY:
            raise InvalidValueError(f"a journal holds fewer than {JOURNAL_CAPACITY} top-ups, not {self.top_ups}")


def create(folder: Path, fleet: NewFleet) -> Path:
    """Make a fleet in a folder, and return the path of its `fleet.toml`.

    AlreadyThereError when there is one, or a part of one; StorageError; InvalidValueError for a zone that is none.
    """
    config, store, keys = folder / CONFIG_NAME, folder / STORE_NAMES[fleet.stores], folder / KEYS_NAME
    for path in (config, *(folder / name for name in STORE_NAMES.values()), keys):
        if path.exists():
            raise AlreadyThereError(f"{path}: there is a fleet here already, or a part of one; nothing was changed")
    settings = Settings(time_zone=fleet.time_zone)
    keys.mkdir(parents=True, mode=0o700)
    identity = FleetIdentity(fleet.seed)
    for association in ASSOCIATIONS:
        if association.is_ciphered:
            save_key_ring(key_ring(folder, association.role), identity.credentials(association.role, fleet.meters))
    for path, numbers in store_files(store, fleet.stores, fleet.meters):
        path.parent.mkdir(exist_ok=True)
        _make_store(path, numbers, fleet, settings)
    write_faults(folder / FAULTS_NAME, FaultsConfig(seed=fleet.seed))
    clock = f"start = {fleet.clock_start.isoformat()}\nrate = {fleet.clock_rate}"
    config.write_text(_CONFIG.format(fleet=fleet, store=STORE_NAMES[fleet.stores], clock=clock))
    return config


def key_ring(folder: Path, role: Role) -> Path:
    """Where the keys of that association of all meters are."""
    return folder / KEYS_NAME / f"{role}.toml"


def store_files(store: Path, stores: Stores, meters: int) -> list[tuple[Path, Sequence[int]]]:
    """The store files of a fleet, and the numbers of the meters in each, which count from 1 in the file."""
    if stores == "shared":
        return [(store, range(1, meters + 1))]
    return [(store / f"{number:05d}.sqlite", (number,)) for number in range(1, meters + 1)]


def write_faults(path: Path, faults: FaultsConfig) -> None:
    """Write `faults.toml`, in one step, so that a running fleet never reads half of it."""
    draft = path.with_name(path.name + ".new")
    saps = sorted(faults.saps)
    draft.write_text(_FAULTS.format_map({**faults.model_dump(), "saps": saps}))
    draft.replace(path)


def _make_store(path: Path, numbers: Sequence[int], fleet: NewFleet, settings: Settings) -> None:
    identity = FleetIdentity(fleet.seed)
    states = {number: PurseState.new(identity.title(number), _CURRENCY, settings) for number in numbers}
    create_store(
        path, (NewMeter(identity.serial_number(number), snapshot.encode(states[number])) for number in numbers)
    )
    with closing(MeterDatabase.open(path)) as database:
        statements: list[Statement] = []
        for number_in_file, number in enumerate(numbers, start=1):
            store = MeterStore(database, number_in_file)
            lived = Household(fleet.seed, number).live_until(states[number], store, fleet.clock_start, fleet.top_ups)
            statements += (
                *store.statements_of(lived),
                *key_statements(identity.keys(number), number_in_file),
                *kept_statements(head_end_value(HEAD_END_TITLE), number_in_file),
            )
            if number_in_file % TOGETHER == 0 or number_in_file == len(numbers):
                database.change(statements)
                statements = []


_CONFIG = """\
# A fleet of MeterPurse meters, for tests and load. Whoever knows the seed knows every key: nothing here is secret.
meters = {fleet.meters}
seed = {fleet.seed}
listen = "{fleet.listen}"          # the wrapper's destination address selects the meter
stores = "{fleet.stores}"                    # shared: one file; own: a folder with a file for each meter
store = "{store}"
inactivity_s = 180                   # a silent client is dropped
maximum_connections = 20000

# At the first run the meters show `start`; from then on they go on from wherever they are, `rate` times as fast as real
# time.
[clock]
{clock}
"""
_FAULTS = """\
# The faults of the fleet; a running fleet takes up changes of this file within a second. Chances are 0..1.
seed = {seed}            # of the dice: the same seed and the same talk give the same faults
saps = {saps}            # of the meters that have faults; none named: all

# Of each message, in either direction; together 1 at most.
drop = {drop}
delay = {delay}
truncate = {truncate}
duplicate = {duplicate}
corrupt = {corrupt}

refuse = {refuse}          # of each connection: closed at once
restart = {restart}         # of each answer: the meter loses power before it leaves

delay_s = {delay_s}
away_s = {away_s}          # how long a meter that restarts is away
"""
