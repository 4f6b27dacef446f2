"""Laws of a whole verification: nothing in an undamaged ledger, nothing changed, another shape refused."""

import pytest
from sqlalchemy import text

from headend.database import transaction
from headend.engines import DatabaseUnusableError
from headend.place import Place
from headend.root_key import RootKey
from headend.verify.whole import verify


def test_an_undamaged_ledger_has_no_finding(filled: Place, root: RootKey) -> None:
    for _ in range(2):
        verified = verify(filled, root)
        assert (verified.meters, verified.entries, verified.findings.kept) == (2, 12, [])
    assert verified.document() == {"meters": 2, "entries": 12, "total": 0, "counts": {}, "findings": []}


def test_without_a_root_key_nothing_is_opened(filled: Place) -> None:
    assert verify(filled).findings.total == 0


def test_a_newer_shape_is_refused(filled: Place) -> None:
    with transaction(filled) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnusableError, match="9999"):
        verify(filled)
