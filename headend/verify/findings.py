"""What a verification finds: what is wrong, where, and what to do. Imported by the checks of this package."""

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType

KEPT = 1000
"""So many findings are kept with their words; beyond that they are only counted."""

_RESTORE = "restore a backup from before this, then let the gateways send again; do not mend rows by hand"
_UPGRADE = "run `headend migrate` with the newest program; if it stays, restore a backup"
_PEOPLE = "make a new token or user in its place and revoke this one; the audit log says who changed what"
_KEYS = "put back the right root key, or take the meter's keys over again by `headend add-courier-keys`"
REMEDIES = MappingProxyType(
    {
        "chain": _RESTORE,
        "columns": _RESTORE,
        "head": _RESTORE,
        "posting": _RESTORE,
        "account": _RESTORE,
        "notice": _RESTORE,
        "event": _RESTORE,
        "evidence": "compare both rows with the meter's own journal before anything else is booked for it",
        "reference": _RESTORE,
        "audit": "somebody worked on the database by hand: find out who, and restore a backup from before",
        "file": "stop the head-end, keep the file, restore the newest backup that verifies",
        "guard": _UPGRADE,
        "shape": _UPGRADE,
        "key": _KEYS,
        "access": _PEOPLE,
    }
)
"""What to do, by the kind of a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault. `meter` is a system title (empty: none), `sequence` the entry's number (None: no entry)."""

    kind: str
    what: str
    meter: str = ""
    sequence: int | None = None

    def __str__(self) -> str:
        """One line: kind, place, what is wrong, what to do."""
        place = f"meter {self.meter}, " if self.meter else ""
        place += "" if self.sequence is None else f"entry {self.sequence}, "
        return f"{self.kind}: {place}{self.what}. To do: {REMEDIES[self.kind]}"

    def document(self) -> dict[str, object]:
        """The same as JSON has it."""
        return {
            "kind": self.kind,
            "meter": self.meter or None,
            "sequence": self.sequence,
            "what": self.what,
            "remedy": REMEDIES[self.kind],
        }


class Findings:
    """Collects findings in constant memory: the first KEPT with their words, of all the count."""

    def __init__(self) -> None:
        """None found."""
        self.kept: list[Finding] = []
        self.counts: Counter[str] = Counter()

    def add(self, kind: str, what: str, *, meter: str = "", sequence: int | None = None) -> None:
        """Note one more; `kind` is a key of REMEDIES."""
        finding = Finding(kind=kind, what=what, meter=meter, sequence=sequence)
        self.counts[kind] += 1
        if len(self.kept) < KEPT:
            self.kept.append(finding)

    @property
    def total(self) -> int:
        """How many there are, with those that were not kept."""
        return self.counts.total()
