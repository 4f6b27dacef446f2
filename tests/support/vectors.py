"""The public vectors in tests/vectors: bytes with what they mean and where they come from."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[1] / "vectors"


def load(name: str, *, valid: bool, classes: Collection[str] = ()) -> list[dict[str, Any]]:
    """The valid, or the invalid, vectors of `tests/vectors/<name>.json`; of some classes only, where named."""
    vectors: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())["vectors"]
    return [vector for vector in vectors if vector["valid"] is valid and (not classes or vector["class"] in classes)]


def parts(vector: dict[str, Any]) -> list[bytes]:
    """The octets of a vector, in the order they are fed."""
    return [bytes.fromhex(text) for text in vector.get("hex_parts") or [vector["hex"]]]


def information_of(frame: bytes) -> bytes:
    """The information field of one whole HDLC frame, without its LLC header: a reader that shares nothing with ours.

    ValueError when a frame check sequence is wrong, so that a broken vector cannot pass for a good one.
    """
    body = frame[1:-1]
    if frame[:1] != b"\x7e" or frame[-1:] != b"\x7e" or len(body) != int.from_bytes(body[:2], "big") & 0x7FF:
        raise ValueError("not one HDLC frame")
    control = 2
    for _address in range(2):
        while not body[control] & 1:
            control += 1
        control += 1
    information = control + 3
    for end in (information, len(body)):
        if frame_check(body[: end - 2]) != body[end - 2 : end]:
            raise ValueError(f"the frame check sequence after {end - 2} octets is wrong")
    return body[information:-2].removeprefix(bytes.fromhex("e6e700"))


def frame_check(octets: bytes) -> bytes:
    """The frame check sequence of HDLC, bit by bit as the standard defines it."""
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _bit in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return (register ^ 0xFFFF).to_bytes(2, "little")
