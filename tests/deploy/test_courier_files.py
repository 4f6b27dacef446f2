"""A courier's files: whatever form they have, the octets come back; nothing that is there is replaced."""

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from deploy.commands.options import Pocket
from deploy.courier_files import MOST_OCTETS, CourierFileError, check_free, pocket, read_sealed, write_pocket
from dlms_objects.classes.courier_frames import courier_frames
from dlms_objects.wire.ciphered import GeneralGloCiphering

SEALED = GeneralGloCiphering(system_title=b"MPR\x00\x00\x00\x00\x01", content=bytes(range(256)) * 3).encode()


@pytest.mark.parametrize("form", [Pocket.OCTETS, Pocket.TEXT])
def test_what_is_written_is_read_back(tmp_path: Path, form: Pocket) -> None:
    path = tmp_path / "batch"
    write_pocket(pocket(path, SEALED, form))
    assert read_sealed(path) == SEALED


def test_scanned_lines_are_read_in_any_order_with_blank_ones_between(tmp_path: Path) -> None:
    path = tmp_path / "scanned.txt"
    frames = courier_frames(SEALED)
    path.write_text("\n" + "\r\n\n".join([*reversed(frames), frames[0]]))
    assert read_sealed(path) == SEALED


def test_a_picture_for_each_frame_is_numbered_and_can_be_scanned(tmp_path: Path) -> None:
    files = pocket(tmp_path / "batch", SEALED, Pocket.PNG)
    assert [path.name for path in files] == [f"batch-{number}-of-3.png" for number in (1, 2, 3)]
    codes = [zxingcpp.read_barcodes(Image.open(io.BytesIO(octets))) for octets in files.values()]
    assert [code.text for (code,) in codes] == courier_frames(SEALED)
    svg = pocket(tmp_path / "batch.xml", SEALED, Pocket.SVG)
    assert [path.name for path in svg] == [f"batch-{number}-of-3.xml" for number in (1, 2, 3)]
    assert all(octets.startswith(b"<svg") for octets in svg.values())


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "neither sealed octets nor frames"),
        (SEALED[:-1], "neither sealed octets nor frames"),
        (bytes(MOST_OCTETS + 1), "neither sealed octets nor frames"),
        (courier_frames(SEALED)[0].encode(), "frames 2, 3 are missing"),
        ("\n".join([*courier_frames(SEALED), courier_frames(SEALED[1:])[0]]).encode(), "another batch"),
        (b"MPC1:\xff", "not a base45 text"),
        (courier_frames(b"not sealed")[0].encode(), "neither sealed octets nor frames"),
    ],
)
def test_what_no_courier_carries_is_told_with_its_file(tmp_path: Path, octets: bytes, words: str) -> None:
    path = tmp_path / "something"
    path.write_bytes(octets)
    with pytest.raises(CourierFileError, match=words) as refusal:
        read_sealed(path)
    assert str(path) in str(refusal.value)


def test_nothing_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "batch.png"
    check_free(path, Pocket.PNG)
    write_pocket(pocket(path, SEALED, Pocket.PNG))
    check_free(path, Pocket.OCTETS)
    with pytest.raises(CourierFileError, match="batch-.-of-3.png: there is a file already"):
        check_free(path, Pocket.PNG)
    with pytest.raises(FileExistsError):
        write_pocket(pocket(path, SEALED, Pocket.PNG))
    write_pocket({path: SEALED})
    with pytest.raises(CourierFileError, match="batch.png: there is a file already"):
        check_free(path, Pocket.OCTETS)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CourierFileError, match="no such folder"):
        check_free(tmp_path / "nowhere" / "batch", Pocket.OCTETS)


def test_what_is_too_long_for_frames_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(CourierFileError, match="write them as octets"):
        pocket(tmp_path / "batch", bytes(100_000), Pocket.TEXT)
