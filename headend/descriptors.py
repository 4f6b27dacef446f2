"""Fee item descriptors: what the gateways read of each fee item's name and payee, one per revision.

A descriptor never decides whether an entry is booked, only what it is called and who is owed. Imported by `books`,
`ingest`, `events` and `statements`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A fee item as it was at one revision; `kind` is the object model's number, `label` and `payee` may be empty."""

    number: int
    revision: int
    kind: int
    label: str
    payee: str


UNKNOWN = Descriptor(number=0, revision=0, kind=0, label="", payee="")
"""What stands in for a fee item no gateway has told us about."""


class Descriptors:
    """All known descriptors of one meter. The first one told for a revision stays; a later different one is ignored."""

    def __init__(self, known: Iterable[Descriptor] = ()) -> None:
        """Start from what the database holds."""
        self._by_number: dict[int, dict[int, Descriptor]] = {}
        for descriptor in known:
            self.add(descriptor)

    def add(self, descriptor: Descriptor) -> bool:
        """Take one in; False when that revision was known already."""
        revisions = self._by_number.setdefault(descriptor.number, {})
        if descriptor.revision in revisions:
            return False
        revisions[descriptor.revision] = descriptor
        return True

    def at(self, number: int, revision: int) -> Descriptor:
        """The newest descriptor of that number whose revision is not above `revision`; UNKNOWN when there is none."""
        revisions = self._by_number.get(number, {})
        exact = revisions.get(revision)
        if exact is not None:
            return exact
        lower = [known for known in revisions if known < revision]
        return revisions[max(lower)] if lower else UNKNOWN

    def newest(self, number: int) -> Descriptor:
        """The descriptor of the highest revision known; UNKNOWN when there is none."""
        revisions = self._by_number.get(number)
        return revisions[max(revisions)] if revisions else UNKNOWN

    def all_newest(self) -> tuple[Descriptor, ...]:
        """The newest descriptor of every number, by number."""
        return tuple(self.newest(number) for number in sorted(self._by_number))
