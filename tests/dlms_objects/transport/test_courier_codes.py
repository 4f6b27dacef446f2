"""A QR reader that shares nothing with us reads each frame back from its picture."""

import io
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image

from dlms_objects.classes.courier_frames import FrameCollection, courier_frames
from dlms_objects.transport.courier_codes import frame_png, frame_svg, frame_text

BATCH = bytes(range(256)) * 8


@pytest.mark.parametrize("scale", [2, 4])
def test_every_frame_is_read_back_from_its_picture(scale: int) -> None:
    collection = FrameCollection()
    for frame in reversed(courier_frames(BATCH)):
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(frame_png(frame, scale=scale))))
        assert code.text == frame
        collection.add(code.text)
    assert collection.batch() == BATCH


def test_the_svg_is_one_element_of_the_size_asked_for() -> None:
    frame = courier_frames(BATCH)[0]
    root = ET.fromstring(frame_svg(frame, scale=3))  # noqa: S314 - our own text
    modules = 69 + 2 * 4  # version 13 and its quiet zone
    assert root.tag.endswith("svg")
    assert (root.get("width"), root.get("height")) == (str(3 * modules), str(3 * modules))


def test_the_svg_has_dark_modules_where_the_png_has() -> None:
    frame = courier_frames(BATCH)[0]
    picture = Image.open(io.BytesIO(frame_png(frame, scale=1))).convert("L")
    dark = sum(picture.getpixel((x, y)) == 0 for x in range(picture.width) for y in range(picture.height))
    root = ET.fromstring(frame_svg(frame, scale=1))  # noqa: S314 - our own text
    (strokes,) = (path.get("d") for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke"))
    assert sum(int(run.split("m")[0].split("M")[0]) for run in strokes.split("h")[1:]) == dark


def test_the_text_has_the_modules_of_the_png_two_in_a_character() -> None:
    frame = courier_frames(BATCH)[0]
    picture = Image.open(io.BytesIO(frame_png(frame, scale=1))).convert("L")
    light = [[picture.getpixel((x, y)) != 0 for x in range(picture.width)] for y in range(picture.height)]
    light.append([False] * picture.width)  # below the quiet zone's last row there is nothing
    halves = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    pairs = zip(light[::2], light[1::2], strict=True)
    wanted = ["".join(halves[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs]
    assert frame_text(frame).splitlines() == wanted
