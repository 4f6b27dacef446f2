"""The faults of a fleet: which are in force, whom they befall, and how often each one did. Pure but for the dice.

Each meter has dice of its own, so what befalls one does not hang on how the talks of others interleave: the same seed,
and the same talk with a meter, give the same faults.
"""

import random
from collections import Counter
from enum import StrEnum

from dlms_objects.meter.fleet.config import FaultsConfig


class Fault(StrEnum):
    """What may go wrong."""

    DROP = "drop"
    """A message is lost."""
    DELAY = "delay"
    """A message comes late, and what follows it on the connection too."""
    TRUNCATE = "truncate"
    """A message breaks off somewhere."""
    DUPLICATE = "duplicate"
    """A message comes twice."""
    CORRUPT = "corrupt"
    """One octet of a message is another."""
    REFUSE = "refuse"
    """A connection is closed at once."""
    RESTART = "restart"
    """The meter loses power before its answer leaves, and comes back from its store a while later."""


_OF_A_MESSAGE = (Fault.DROP, Fault.DELAY, Fault.TRUNCATE, Fault.DUPLICATE, Fault.CORRUPT)


class Faults:
    """The faults in force; `counts` says how often each one happened."""

    def __init__(self, config: FaultsConfig) -> None:
        """Begin with these."""
        self.counts: Counter[Fault] = Counter()
        self.config = config
        self._dice: dict[int, random.Random] = {}
        self.use(config)

    def use(self, config: FaultsConfig) -> None:
        """From now on these; another seed means other dice, the same seed the same ones going on."""
        if config.seed != self.config.seed:
            self._dice.clear()
        self.config = config
        self._of_messages = [(fault, getattr(config, fault)) for fault in _OF_A_MESSAGE]
        self._has_any = any(chance for _, chance in self._of_messages)

    def of_message(self, sap: int) -> Fault | None:
        """What befalls a message to or from that meter."""
        if not self._has_any or not self._befalls(sap):
            return None
        drawn = self._dice_of(sap).random()
        for fault, chance in self._of_messages:
            if drawn < chance:
                self.counts[fault] += 1
                return fault
            drawn -= chance
        return None

    def is_refused(self, sap: int) -> bool:
        """Whether a connection to that meter is closed at once."""
        return self._happens(Fault.REFUSE, self.config.refuse, sap)

    def restarts(self, sap: int) -> bool:
        """Whether that meter restarts instead of answering."""
        return self._happens(Fault.RESTART, self.config.restart, sap)

    def truncated(self, octets: bytes, sap: int) -> bytes:
        """The beginning of a message."""
        return octets[: self._dice_of(sap).randrange(len(octets))]

    def corrupted(self, octets: bytes, sap: int) -> bytes:
        """A message with one octet that is another."""
        dice = self._dice_of(sap)
        place = dice.randrange(len(octets))
        other = octets[place] ^ dice.randint(1, 255)
        return octets[:place] + bytes((other,)) + octets[place + 1 :]

    def _happens(self, fault: Fault, chance: float, sap: int) -> bool:
        if not chance or not self._befalls(sap) or self._dice_of(sap).random() >= chance:
            return False
        self.counts[fault] += 1
        return True

    def _befalls(self, sap: int) -> bool:
        return not self.config.saps or sap in self.config.saps

    def _dice_of(self, sap: int) -> random.Random:
        if sap not in self._dice:
            self._dice[sap] = random.Random(f"{self.config.seed}/{sap}")
        return self._dice[sap]
