"""What a power cut may leave, on a disk of a few operations: each model loses what it may lose and nothing else."""

import random

import pytest

from tests.support.crash_images import SECTOR, CrashingDisk, Model
from tests.support.recorded_disk import DiskOperation, Kind

OLD, NEW = b"a" * 3 * SECTOR, b"b" * 3 * SECTOR
WRITTEN = DiskOperation(Kind.WRITE, "store", 0, NEW)
LONGER = DiskOperation(Kind.WRITE, "store", 3 * SECTOR, NEW)
DRAFTED = [
    DiskOperation(Kind.CREATE, "draft"),
    DiskOperation(Kind.WRITE, "draft", 0, NEW),
    DiskOperation(Kind.SYNC, "draft"),
    DiskOperation(Kind.RENAME, "draft", target="store"),
]


def left(model, *operations, files=None):
    """Every outcome of a cut after those operations."""
    disk = CrashingDisk({"store": OLD} if files is None else files)
    for operation in operations:
        disk.carry_out(operation)
    images = [disk.cut(model, random.Random(seed)) for seed in range(200)]
    by_key = {image.key: image.files for image in images}
    assert all(by_key[image.key] == image.files for image in images)
    return [dict(files) for files in by_key.values()]


@pytest.mark.parametrize("model", Model)
def test_what_was_synced_is_there(model):
    assert left(model, WRITTEN, DiskOperation(Kind.SYNC, "store")) == [{"store": NEW}]


def test_unsynced_writes_are_dropped():
    assert left(Model.DROPPED, WRITTEN, LONGER) == [{"store": OLD}]


def test_a_subset_may_hold_the_later_write_without_the_earlier():
    contents = {files["store"] for files in left(Model.SUBSET, WRITTEN, LONGER)}
    assert contents == {OLD, NEW, OLD + NEW, NEW + NEW}


def test_a_torn_write_has_some_of_its_sectors():
    contents = {files["store"] for files in left(Model.TORN, WRITTEN)}
    assert len(contents) == 2**3
    assert {content[at : at + SECTOR] for content in contents for at in range(0, 3 * SECTOR, SECTOR)} == {
        b"a" * SECTOR,
        b"b" * SECTOR,
    }


def test_two_writes_of_one_place_may_arrive_in_either_order():
    contents = {files["store"] for files in left(Model.REORDERED, WRITTEN, DiskOperation(Kind.WRITE, "store", 0, OLD))}
    assert contents == {OLD, NEW}


def test_a_name_counts_only_after_its_folder_was_synced():
    assert left(Model.DROPPED, *DRAFTED) == [{"store": OLD}]
    assert left(Model.DROPPED, *DRAFTED, DiskOperation(Kind.SYNC_FOLDER, ".")) == [{"store": NEW}]


def test_a_deleted_name_may_be_there_again_until_its_folder_is_synced():
    gone = DiskOperation(Kind.DELETE, "store")
    assert left(Model.DROPPED, gone) == [{"store": OLD}]
    assert left(Model.SUBSET, gone) in ([{"store": OLD}, {}], [{}, {"store": OLD}])
    assert left(Model.DROPPED, gone, DiskOperation(Kind.SYNC_FOLDER, ".")) == [{}]


def test_a_file_is_lost_with_the_name_of_its_folder():
    made = [
        DiskOperation(Kind.MAKE_FOLDER, "keys"),
        DiskOperation(Kind.CREATE, "keys/reader"),
        DiskOperation(Kind.WRITE, "keys/reader", 0, NEW),
        DiskOperation(Kind.SYNC, "keys/reader"),
        DiskOperation(Kind.SYNC_FOLDER, "keys"),
    ]
    assert left(Model.DROPPED, *made, files={}) == [{}]
    assert left(Model.DROPPED, *made, DiskOperation(Kind.SYNC_FOLDER, "."), files={}) == [{"keys/reader": NEW}]


def test_a_file_may_be_shortened_or_not():
    cut = DiskOperation(Kind.TRUNCATE, "store", SECTOR)
    assert {len(files["store"]) for files in left(Model.SUBSET, cut)} == {SECTOR, 3 * SECTOR}
