"""The power is cut at every operation of the meter's disk: nothing acknowledged is lost, nothing is done twice.

`--crash-images N` (20 000 in `make test`) says how many images of a household's six weeks are rebuilt and judged.
"""

from pathlib import Path

import pytest

from dlms_objects.meter import setup
from dlms_objects.purse.entry import Entry
from tests.simulation.power_cuts import Tally, examine, household_cuts
from tests.support.crash_images import Model
from tests.support.first_boot import FirstBoot, check_first_boot
from tests.support.recorded_household import DEDUCTED_ITEMS, RecordedHousehold

FEW = 400


@pytest.mark.slow
def test_no_power_cut_loses_or_doubles_what_was_acknowledged(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    count, seed = (request.config.getoption(name) for name in ("--crash-images", "--crash-seed"))
    tally = household_cuts(tmp_path / "meter", count, seed)
    assert tally.problems == [], str(tally)
    assert tally.rebuilt == count
    assert all(tally.images.values()), str(tally)
    assert tally.operations > 900


def test_a_store_that_does_not_wait_for_the_disk_loses_an_acknowledged_entry(tmp_path: Path) -> None:
    tally = household_cuts(tmp_path / "meter", FEW, 1, synchronous="NORMAL")
    assert any("an acknowledged entry is lost" in problem for problem in tally.problems)


def test_the_recorded_household_does_what_it_is_recorded_for(tmp_path: Path) -> None:
    household = RecordedHousehold(tmp_path / "meter")
    household.live()
    last = household.told[-1]
    entries = [Entry.from_row(row) for row in last.rows]
    assert {int(entry.kind) for entry in entries} == {1, 2, 3}
    assert {entry.fee_item for entry in entries if entry.due.civil() is not None} == DEDUCTED_ITEMS
    assert last.has_new_key
    assert last.revisions == {1: 2, 2: 1, 3: 1}


def first_boot(folder: Path) -> Tally:
    boot = FirstBoot(folder)
    return examine(boot.disk, boot.told, check_first_boot, 6 * (len(boot.disk.operations) + 1), 1)


def test_a_first_boot_cut_at_every_operation_starts_or_can_be_made_again(tmp_path: Path) -> None:
    tally = first_boot(tmp_path / "first")
    assert tally.problems == [], str(tally)
    assert tally.images[Model.DROPPED] == tally.operations + 1


def test_a_configuration_that_is_not_synced_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "write_new", lambda path, text, mode: path.write_text(text))
    assert any("it was made and does not start" in problem for problem in first_boot(tmp_path / "first").problems)


def test_a_folder_whose_name_is_not_synced_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "make_folder", lambda path, mode: path.mkdir(mode=mode, parents=True))
    assert any("it was made and does not start" in problem for problem in first_boot(tmp_path / "first").problems)
