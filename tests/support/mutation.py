"""Broken input by the thousand: seeded mutations of good octets, and the search for what a decoder lets escape."""

import random
from collections.abc import Callable, Iterator, Sequence

from dlms_objects.wire.errors import MalformedError

INTERESTING = b"\x00\x01\x02\x09\x7f\x80\x81\x82\x84\xa1\xfe\xff"
"""Octets that mean something to a length, a tag or a presence."""


def mutations(samples: Sequence[bytes], *, count: int, seed: int = 20261122) -> Iterator[bytes]:
    """`count` mutated samples, the same ones for the same seed; first each sample cut at every octet."""
    dice = random.Random(seed)
    for sample in samples:
        yield from (sample[:end] for end in range(min(len(sample), 200)))
    for _ in range(count):
        yield mutate(dice.choice(samples), dice)


def mutate(sample: bytes, dice: random.Random) -> bytes:
    """The sample with one to three faults in it."""
    octets = bytearray(sample)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        dice.choice(_MUTATORS)(octets, dice)
    return bytes(octets)


def first_escape(
    decoder: Callable[[bytes], object], samples: Sequence[bytes], *, count: int = 4000
) -> tuple[bytes, Exception] | None:
    """The first mutation on which the decoder raises anything but MalformedError, with what it raised, or None."""
    for octets in mutations(samples, count=count):
        try:
            decoder(octets)
        except MalformedError:
            continue
        except Exception as error:  # noqa: BLE001 - any escape is what is searched for
            return octets, error
    return None


def _set(octets: bytearray, dice: random.Random) -> None:
    if octets:
        octets[dice.randrange(len(octets))] = dice.choice(INTERESTING)


def _flip(octets: bytearray, dice: random.Random) -> None:
    if octets:
        octets[dice.randrange(len(octets))] ^= 1 << dice.randrange(8)


def _insert(octets: bytearray, dice: random.Random) -> None:
    position = dice.randint(0, len(octets))
    octets[position:position] = dice.randbytes(dice.randint(1, 4))


def _delete(octets: bytearray, dice: random.Random) -> None:
    position = dice.randint(0, len(octets))
    del octets[position : position + dice.randint(1, 4)]


def _cut(octets: bytearray, dice: random.Random) -> None:
    del octets[dice.randint(0, len(octets)) :]


def _repeat(octets: bytearray, dice: random.Random) -> None:
    """The octets of one place many times over: deep nesting, where it is a container's head."""
    position = dice.randint(0, len(octets))
    octets[position:position] = bytes(octets[position : position + 2]) * dice.choice((2, 20, 2000))


_MUTATORS = (_set, _flip, _insert, _delete, _cut, _repeat)
