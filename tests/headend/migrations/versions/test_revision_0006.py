"""The step of the couriers' keys: an answer is kept with its batch, or neither."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headend.migrations.versions import revision_0006


def test_it_follows_the_one_before() -> None:
    assert (revision_0006.revision, revision_0006.down_revision) == ("0006", "0003")


def test_a_batch_without_its_answer_is_refused(connection: Connection) -> None:
    with pytest.raises(IntegrityError):
        connection.execute(
            text(
                "INSERT INTO courier_key (meter_id, head_end_title, key_name, sealed_keys, sent, received, last_batch)"
                " VALUES (1, '', '', :octets, 0, -1, :octets)"
            ),
            {"octets": bytes(32)},
        )
