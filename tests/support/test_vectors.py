"""Every public vector is accounted for: it lies in a file of tests/vectors, unchanged, and a test loads that file."""

import hashlib
import json
import re

import pytest

from tests.support.sources import ROOT
from tests.support.vectors import VECTORS, frame_check, information_of

INDEX = json.loads((VECTORS / "index.json").read_text())["vectors"]
FILES = sorted(path.stem for path in VECTORS.glob("*.json") if path.stem != "index")
TESTS = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}


def vectors_of(name):
    return json.loads((VECTORS / f"{name}.json").read_text())["vectors"]


def digest(vector):
    return hashlib.sha256("|".join(vector.get("hex_parts") or [vector["hex"]]).encode()).hexdigest()


PLACES = {vector["id"]: (name, vector) for name in FILES for vector in vectors_of(name)}


def loaders(name, *, valid, of_class):
    """The test modules that load the valid, or the invalid, vectors of a file and class."""
    call = re.compile(rf'load\(\s*"{re.escape(name)}",\s*valid={valid}(?:,\s*classes=({{[^}}]*}}))?')
    return [
        path
        for path, text in TESTS.items()
        if any(not classes or f'"{of_class}"' in classes for classes in call.findall(text))
    ]


def test_there_are_as_many_public_vectors_as_were_gathered():
    assert len(INDEX) == 61


@pytest.mark.parametrize("identifier", INDEX)
def test_a_public_vector_is_kept_unchanged_and_a_test_loads_it(identifier):
    name, vector = PLACES[identifier]
    assert digest(vector) == INDEX[identifier]["sha256"]
    assert vector["class"] == INDEX[identifier]["class"]
    assert vector["source"]["repo"]
    assert vector["source"]["commit"]
    assert loaders(name, valid=vector["valid"], of_class=vector["class"])


def test_a_file_that_nothing_loads_is_found():
    assert loaders("apdu", valid=True, of_class="set")
    assert not loaders("ap", valid=True, of_class="set")
    assert not loaders("index", valid=True, of_class="set")


GOOD = bytes.fromhex("7ea00c0102011027a00201e7de7e")


def test_the_reader_of_frames_checks_what_it_reads():
    assert information_of(GOOD) == b"\x02\x01"
    assert frame_check(b"123456789") == bytes.fromhex("6e90")
    for position in range(len(GOOD)):
        broken = bytearray(GOOD)
        broken[position] ^= 0x04
        with pytest.raises(ValueError, match="frame"):
            information_of(bytes(broken))
