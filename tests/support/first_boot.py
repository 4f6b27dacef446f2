"""The first boot of a meter on a recorded disk (made, started, stopped), and the judge of what a power cut leaves."""

from dataclasses import dataclass
from pathlib import Path

from deploy.configuration import load
from dlms_objects.errors import LocalError
from dlms_objects.meter import setup
from dlms_objects.meter.config import CONFIG_NAME, MeterConfig
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.service import build_meter
from dlms_objects.program_folder import AlreadyThereError
from dlms_objects.values.system_title import SystemTitle
from tests.support.meters import NOW, MeterWorld
from tests.support.recorded_disk import RecordedDisk
from tests.support.recorded_household import WrongStoreError

HOME = "meters/meter"
NOW_S = NOW.timestamp()


@dataclass(frozen=True, slots=True)
class Made:
    """What was told before operation `at`: who the meter is; `keys` once it had reported ready."""

    at: int
    title: SystemTitle
    keys: MeterKeys | None


class FirstBoot:
    """A meter made and started in an empty folder, written down."""

    def __init__(self, folder: Path) -> None:
        """All of it."""
        folder.mkdir(parents=True)
        self.disk = RecordedDisk(folder)
        self.told: list[Made] = []
        with self.disk.recording():
            world = MeterWorld(folder / HOME, start=False)
            self.disk.look()
            self._tell(world, None)
            world.start()
            self._tell(world, world.meter._store.keys())
            world.stop()

    def _tell(self, world: MeterWorld, keys: MeterKeys | None) -> None:
        self.told.append(Made(len(self.disk.operations), world.made.system_title, keys))


def check_first_boot(folder: Path, told: Made | None) -> None:
    """WrongStoreError unless what was told is there and starts.

    Nothing told: it starts, or can be made, or says why not.
    """
    home = folder / HOME
    try:
        meter = build_meter(load(home / CONFIG_NAME, MeterConfig), NOW_S)
    except LocalError as error:
        if told is not None:
            raise WrongStoreError(f"it was made and does not start: {error}") from error
        _make_again(home)
        return
    try:
        meter.start(NOW_S)
        if told is not None and meter.system_title != told.title:
            raise WrongStoreError(f"it was {told.title} and is {meter.system_title}")
        if told is not None and told.keys not in (None, meter._store.keys()):
            raise WrongStoreError("the keys it was ready with are others now")
    finally:
        meter.close()


def _make_again(home: Path) -> None:
    """A folder in which a making was cut off: a new meter is made, or the reason is told in one line."""
    try:
        setup.create(home)
    except AlreadyThereError as error:
        if "\n" in str(error) or "meter.toml" not in str(error):
            raise WrongStoreError(f"it does not say what to do: {error}") from error
        return
    build_meter(load(home / CONFIG_NAME, MeterConfig), NOW_S).close()
