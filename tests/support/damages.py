"""Damage to a ledger, planted by SQL behind its guards: what each kind does, and what a verification must say of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, text

from dlms_objects.values.cosem_time import CosemDateTime
from headend import courier_keys
from headend.authentication import new_token, store_token
from headend.database import transaction
from headend.engines import Purpose
from headend.events import EventBatch, MeterEvent, ingest_events
from headend.ingest import ingest
from headend.permissions import Role
from headend.place import Place
from headend.root_key import RootKey
from headend.schema import entry, evidence
from headend.users import User, add_organisation, add_user
from tests.support.courier_meter import fresh_credentials
from tests.support.headend_books import CNY, OTHER_TITLE, SHANGHAI, TITLE, usual_journal

FIRST = datetime(2026, 11, 25, 8, 0, tzinfo=SHANGHAI)
_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA"
Plant = Callable[[Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One kind: how it is planted, and the kind and words of the finding that it must make."""

    name: str
    plant: Plant
    kind: str
    words: str


def fill(place: Place, root: RootKey) -> None:
    """Two meters' journals, events, evidence, courier keys, two organisations, tokens and a user."""
    with transaction(place) as connection:
        journals = usual_journal(TITLE), usual_journal(OTHER_TITLE)
        ingest(connection, [journal.batch() for journal in journals])
        time = [CosemDateTime.from_instant(FIRST + timedelta(minutes=number), SHANGHAI) for number in (1, 2)]
        events = tuple(
            MeterEvent(number=number, time=time[number - 1], code=11, fee_item=1, value=100, due=None)
            for number in (1, 2)
        )
        ingest_events(connection, [EventBatch(title=TITLE, events=events)])
        other = usual_journal(TITLE)
        other.entries.pop()
        other.top_up(5)
        ingest(connection, [other.batch(6)])
        courier_keys.store(connection, root, fresh_credentials(), CNY)
        store_token(connection, name="gateway", role=Role.GATEWAY, token=new_token())
        second = add_organisation(connection, "second")
        store_token(connection, name="theirs", role=Role.GATEWAY, token=new_token(), organisation_id=second)
        add_user(connection, 1, User(login="anna", role=Role.ADMIN), _HASH)
        connection.execute(text("UPDATE meter SET gateway_id = (SELECT id FROM bearer_token WHERE name = 'gateway')"))


def damage(place: Place, plant: Plant) -> None:
    """Plant damage behind every guard, which are all in their places afterwards."""
    with transaction(place, Purpose.MIGRATE) as connection, _behind_the_guards(connection):
        plant(connection)


@contextmanager
def _behind_the_guards(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield
        return
    triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, made in triggers:
        connection.execute(text(made))


def sql(*statements: str) -> Plant:
    def plant(connection: Connection) -> None:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, f"{statement} changes nothing"

    return plant


def _octet(number: int, offset: int, value: int) -> Plant:
    """Set one octet of a row of the first meter."""

    def plant(connection: Connection) -> None:
        here = (entry.c.meter_id == 1) & (entry.c.sequence == number)
        row = bytearray(connection.execute(select(entry.c.row).where(here)).scalar_one())
        row[offset] = value
        connection.execute(entry.update().where(here).values(row=bytes(row)))

    return plant


def _book_the_evidence(connection: Connection) -> None:
    held = connection.execute(select(entry.c.row).where(entry.c.meter_id == 1, entry.c.sequence == 2)).scalar_one()
    told = {"meter_id": 1, "sequence": 2, "cause": "fork", "detail": "", "received_row": held}
    connection.execute(insert(evidence).values(told))


def drop(table: str, change: str) -> Plant:
    def plant(connection: Connection) -> None:
        of_table = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        connection.execute(text(f"DROP TRIGGER {table}_refuses_{change}{of_table}"))

    return plant


_ENTRY_3 = "meter_id = 1 AND sequence = 3"
_EVERYTHING_OF = "DELETE FROM posting WHERE {0}", "DELETE FROM entry WHERE {0}"
CHAIN_DAMAGES = (
    Damage(name="an amount in a row", plant=_octet(3, 47, 9), kind="chain", words="digest does not follow"),
    Damage(name="a balance in a row", plant=_octet(3, 56, 9), kind="chain", words="its balance is"),
    Damage(name="a row that is none", plant=_octet(3, 0, 0xFF), kind="chain", words="no journal row"),
    Damage(name="a number in a row", plant=_octet(3, 20, 7), kind="columns", words="sequence says 3"),
    Damage(name="a reference in a row", plant=_octet(3, 60, 7), kind="chain", words="digest does not follow"),
    Damage(
        name="a column amount",
        plant=sql(f"UPDATE entry SET amount_minor = 1 WHERE {_ENTRY_3}"),
        kind="columns",
        words="amount_minor says 1",
    ),
    Damage(
        name="a column balance",
        plant=sql(f"UPDATE entry SET balance_minor = 1 WHERE {_ENTRY_3}"),
        kind="columns",
        words="balance_minor says 1",
    ),
    Damage(
        name="a column kind",
        plant=sql(f"UPDATE entry SET kind = 4 WHERE {_ENTRY_3}"),
        kind="columns",
        words="kind says 4",
    ),
    Damage(
        name="a column fee item",
        plant=sql(f"UPDATE entry SET fee_item = 9 WHERE {_ENTRY_3}"),
        kind="columns",
        words="fee_item says 9",
    ),
    Damage(
        name="a revision too new",
        plant=sql(f"UPDATE entry SET item_revision = 7 WHERE {_ENTRY_3}"),
        kind="columns",
        words="item_revision 7",
    ),
    Damage(
        name="an entry gone",
        plant=sql(*(each.format(_ENTRY_3) for each in _EVERYTHING_OF)),
        kind="chain",
        words="entry 3 is wanted",
    ),
    Damage(
        name="the last entry gone",
        plant=sql(*(each.format("meter_id = 1 AND sequence = 6") for each in _EVERYTHING_OF)),
        kind="head",
        words="head is entry 6",
    ),
    Damage(
        name="a head's balance",
        plant=sql("UPDATE meter SET balance_minor = 1 WHERE id = 1"),
        kind="head",
        words="balance is 1",
    ),
    Damage(
        name="a head's sequence",
        plant=sql("UPDATE meter SET sequence = 5 WHERE id = 1"),
        kind="head",
        words="head is entry 5",
    ),
    Damage(
        name="a head's digest",
        plant=sql("UPDATE meter SET digest = (SELECT digest FROM meter WHERE id = 2) WHERE id = 1"),
        kind="head",
        words="digest of the meter's head",
    ),
    Damage(
        name="a statement too far",
        plant=sql("UPDATE meter SET stated_sequence = 99 WHERE id = 1"),
        kind="head",
        words="statements reach",
    ),
    Damage(
        name="a currency forgotten",
        plant=sql("UPDATE meter SET currency_code = NULL WHERE id = 1"),
        kind="head",
        words="no currency",
    ),
    Damage(
        name="another meter's title",
        plant=sql("UPDATE meter SET system_title = '4D50520000000009' WHERE id = 1"),
        kind="chain",
        words="digest does not follow",
    ),
    Damage(
        name="a fee item gone",
        plant=sql("DELETE FROM fee_item WHERE meter_id = 1 AND number = 2"),
        kind="reference",
        words="no revision",
    ),
    Damage(
        name="a payee changed",
        plant=sql("UPDATE fee_item SET payee = 'thief' WHERE meter_id = 1 AND number = 2"),
        kind="account",
        words="the wrong one",
    ),
    Damage(
        name="a posting gone",
        plant=sql(f"DELETE FROM posting WHERE {_ENTRY_3} AND line = 1"),
        kind="posting",
        words="counter posting is missing",
    ),
    Damage(
        name="a purse posting gone",
        plant=sql(f"DELETE FROM posting WHERE {_ENTRY_3} AND line = 0"),
        kind="posting",
        words="purse posting is missing",
    ),
    Damage(
        name="a posting's amount",
        plant=sql(f"UPDATE posting SET amount_minor = 1 WHERE {_ENTRY_3} AND line = 1"),
        kind="posting",
        words="counter posting is of 1",
    ),
    Damage(
        name="both postings' amounts",
        plant=sql(f"UPDATE posting SET amount_minor = 2 * amount_minor WHERE {_ENTRY_3}"),
        kind="posting",
        words="purse posting is of",
    ),
    Damage(
        name="a posting on another purse",
        plant=sql(
            "UPDATE posting SET account_id = (SELECT id FROM account WHERE name LIKE 'purse:%2') "
            f"WHERE {_ENTRY_3} AND line = 0"
        ),
        kind="account",
        words="the wrong one",
    ),
    Damage(
        name="postings exchanged",
        plant=sql(
            "UPDATE posting SET account_id = (SELECT id FROM account WHERE name = 'adjustment') "
            "WHERE meter_id = 1 AND sequence = 1 AND line = 1"
        ),
        kind="account",
        words="the wrong one",
    ),
    Damage(
        name="an account given away",
        plant=sql("UPDATE account SET organisation_id = 2 WHERE name = 'payable:landlord'"),
        kind="account",
        words="another organisation's",
    ),
    Damage(
        name="an account's currency",
        plant=sql("UPDATE account SET currency_code = 'EUR' WHERE name = 'payable:landlord'"),
        kind="account",
        words="another currency",
    ),
    Damage(
        name="an account gone",
        plant=sql("DELETE FROM account WHERE name = 'adjustment'"),
        kind="account",
        words="is not there",
    ),
    Damage(
        name="a notice gone",
        plant=sql("DELETE FROM notice WHERE meter_id = 1 AND number = 3 AND kind = 'deduction'"),
        kind="notice",
        words="no notice of its kind",
    ),
)
BOOK_DAMAGES = (
    Damage(
        name="sums",
        plant=sql(f"UPDATE posting SET amount_minor = 1 WHERE {_ENTRY_3} AND line = 1"),
        kind="account",
        words="in CNY:-2 sum to",
    ),
    Damage(
        name="a purse's sum",
        plant=sql(f"UPDATE posting SET amount_minor = 1 WHERE {_ENTRY_3} AND line = 0"),
        kind="account",
        words="posted on its purse sums to",
    ),
    Damage(
        name="postings without entry",
        plant=sql(f"DELETE FROM entry WHERE {_ENTRY_3}"),
        kind="reference",
        words="rows of posting name rows of entry",
    ),
    Damage(
        name="entries without meter",
        plant=sql("DELETE FROM meter WHERE id = 2"),
        kind="reference",
        words="rows of entry name rows of meter",
    ),
    Damage(
        name="fee items without meter",
        plant=sql("DELETE FROM meter WHERE id = 2"),
        kind="reference",
        words="rows of fee_item name rows of meter",
    ),
    Damage(
        name="an unknown account",
        plant=sql(
            "INSERT INTO account (organisation_id, name, currency_code, currency_scale) VALUES (1, 'mine', 'CNY', -2)"
        ),
        kind="account",
        words="of no meter, payee or purpose",
    ),
    Damage(
        name="a notice of nothing",
        plant=sql("INSERT INTO notice (meter_id, kind, number, facts) VALUES (1, 'top_up', 99, '')"),
        kind="notice",
        words="tells of a top_up 99",
    ),
    Damage(
        name="a second notice",
        plant=sql("INSERT INTO notice (meter_id, kind, number, facts) VALUES (1, 'top_up', 3, '')"),
        kind="notice",
        words="tells of a top_up 3",
    ),
    Damage(
        name="an unknown notice",
        plant=sql("INSERT INTO notice (meter_id, kind, number, facts) VALUES (1, 'poem', 1, '')"),
        kind="notice",
        words="tells of a poem",
    ),
    Damage(
        name="a notice of no event",
        plant=sql("DELETE FROM meter_event WHERE number = 2"),
        kind="notice",
        words="tells of a shortfall_ahead 2",
    ),
    Damage(
        name="an event without notice",
        plant=sql("DELETE FROM notice WHERE kind = 'shortfall_ahead' AND number = 2"),
        kind="event",
        words="event 2 has no notice",
    ),
    Damage(
        name="an event number",
        plant=sql("UPDATE meter SET event_number = 1 WHERE id = 1"),
        kind="event",
        words="event 2 is in the log",
    ),
    Damage(
        name="a plan too far",
        plant=sql("UPDATE delivery_plan SET notice_id = 9999"),
        kind="notice",
        words="planned up to 9999",
    ),
    Damage(name="evidence booked", plant=_book_the_evidence, kind="evidence", words="is booked"),
)


def execute(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
