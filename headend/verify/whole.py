"""All checks together, on one snapshot. Imported by `backups` and the composition root."""

from dataclasses import dataclass

from sqlalchemy import Connection

from headend.database import require_newest_shape, transaction
from headend.engines import Purpose
from headend.place import Place
from headend.root_key import RootKey
from headend.verify.access import check_access, check_keys
from headend.verify.books import check_books
from headend.verify.chains import check_chains
from headend.verify.findings import Findings
from headend.verify.guards import check_guards


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked through, and what was found."""

    meters: int
    entries: int
    findings: Findings

    def document(self) -> dict[str, object]:
        """The same as JSON has it; `findings` may be fewer than `total`."""
        return {
            "meters": self.meters,
            "entries": self.entries,
            "total": self.findings.total,
            "counts": dict(self.findings.counts),
            "findings": [finding.document() for finding in self.findings.kept],
        }


def verify(place: Place, root: RootKey | None = None) -> Verified:
    """Look through the whole database at `place`, while a head-end may be running on it; nothing is changed.

    Without a root key sealed keys stay closed. DatabaseUnusableError when it cannot be read, or has another shape.
    """
    with transaction(place, Purpose.READ) as connection:
        return verify_all(connection, root)


def verify_all(connection: Connection, root: RootKey | None) -> Verified:
    """The same on the snapshot of a connection."""
    require_newest_shape(connection)
    findings = Findings()
    check_guards(connection, findings)
    meters, entries = check_chains(connection, findings)
    check_books(connection, findings)
    check_keys(connection, root, findings)
    check_access(connection, findings)
    return Verified(meters=meters, entries=entries, findings=findings)
