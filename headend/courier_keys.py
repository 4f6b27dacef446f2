"""The keys with which couriers' matters are sealed, one pair per meter, and the counters of both directions.

Keys rest sealed with the root key; counters are columns beside them, moved in the transaction of what they belong to.
Imported by `courier` and `setup`.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from dlms_objects.errors import LocalError
from dlms_objects.transport.credentials import KEY_LENGTH, CourierCredentials
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys, key_name
from dlms_objects.wire.counters import COUNTER_CEILING, CounterExhausted, Counters
from headend.root_key import RootKey
from headend.schema import courier_key, meter


class CourierKeyError(LocalError):
    """A courier's key file cannot be taken over; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierKeys:
    """What is needed to open a meter's batches and to seal for it."""

    meter_id: int
    meter_title: SystemTitle
    head_end_title: SystemTitle
    cipher_keys: CipherKeys = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBatch:
    """The newest batch that was taken: its SHA-256, and the sealed answer it got."""

    digest: bytes
    answer: bytes


def store(connection: Connection, root: RootKey, credentials: CourierCredentials, currency: Currency | None) -> None:
    """Take over a meter's courier keys, inside the caller's transaction; CourierKeyError when that cannot be.

    The same keys again change nothing; a new encryption key has new counters. `currency` is that of the meter's
    journal, which no batch tells: wanted unless a gateway has told it.
    """
    found = connection.execute(
        select(meter.c.id, meter.c.currency_code, meter.c.currency_scale).where(
            meter.c.system_title == str(credentials.system_title)
        )
    ).one_or_none()
    if found is None:
        raise CourierKeyError(f"meter {credentials.system_title} is not registered; `headend add-meter` does that")
    known = None if found.currency_code is None else Currency(found.currency_code, found.currency_scale)
    if currency is None and known is None:
        raise CourierKeyError(
            f"the currency of meter {credentials.system_title} is not known yet; say it with --currency CNY:-2"
        )
    if known not in (None, currency or known):
        raise CourierKeyError(f"the books of meter {credentials.system_title} are in {known}, not {currency}")
    if known is None and currency is not None:
        told = {"currency_code": currency.code, "currency_scale": currency.scale}
        connection.execute(update(meter).where(meter.c.id == found.id).values(told))
    name = key_name(credentials.encryption_key)
    of_meter = courier_key.c.meter_id == found.id
    held = connection.execute(
        select(courier_key.c.key_name, courier_key.c.head_end_title).where(of_meter)
    ).one_or_none()
    if held is not None and tuple(held) == (name, str(credentials.head_end_title)):
        return
    connection.execute(delete(courier_key).where(of_meter))
    connection.execute(
        insert(courier_key).values(
            meter_id=found.id,
            head_end_title=str(credentials.head_end_title),
            key_name=name,
            sealed_keys=root.seal(credentials.encryption_key + credentials.authentication_key),
            sent=0,
            received=-1,
        )
    )


def find(connection: Connection, root: RootKey, title: SystemTitle) -> CourierKeys | None:
    """The courier's keys of a meter; None when there are none."""
    row = connection.execute(
        select(courier_key.c.meter_id, courier_key.c.head_end_title, courier_key.c.sealed_keys)
        .join(meter, meter.c.id == courier_key.c.meter_id)
        .where(meter.c.system_title == str(title))
    ).one_or_none()
    if row is None:
        return None
    keys = root.open(row.sealed_keys)
    return CourierKeys(
        meter_id=row.meter_id,
        meter_title=title,
        head_end_title=SystemTitle.parse(row.head_end_title),
        cipher_keys=CipherKeys(global_unicast_encryption_key=keys[:KEY_LENGTH], authentication_key=keys[KEY_LENGTH:]),
    )


def last_batch(connection: Connection, meter_id: int) -> LastBatch | None:
    """The newest batch of a meter that was taken; None before the first."""
    row = connection.execute(
        select(courier_key.c.last_batch, courier_key.c.last_answer).where(courier_key.c.meter_id == meter_id)
    ).one()
    return None if row.last_batch is None else LastBatch(digest=row.last_batch, answer=row.last_answer)


def keep_last_batch(connection: Connection, meter_id: int, last: LastBatch) -> None:
    """Keep it in place of the one before."""
    connection.execute(
        update(courier_key)
        .where(courier_key.c.meter_id == meter_id)
        .values(last_batch=last.digest, last_answer=last.answer)
    )


def counters(connection: Connection, meter_id: int) -> Counters:
    """Both counters of a meter's courier, within the transaction of this connection."""
    return Counters(sent=_Sent(connection, meter_id), received=_Received(connection, meter_id))


class _Sent:
    def __init__(self, connection: Connection, meter_id: int) -> None:
        self._connection = connection
        self._of_meter = courier_key.c.meter_id == meter_id

    def next(self) -> int:
        """The next counter, from 1; CounterExhausted when the key has none left."""
        sent: int = self._connection.execute(select(courier_key.c.sent).where(self._of_meter)).scalar_one()
        if sent + 1 >= COUNTER_CEILING:
            raise CounterExhausted("the courier's invocation counter is exhausted: the key must change")
        self._connection.execute(update(courier_key).where(self._of_meter).values(sent=sent + 1))
        return sent + 1


class _Received:
    def __init__(self, connection: Connection, meter_id: int) -> None:
        self._connection = connection
        self._of_meter = courier_key.c.meter_id == meter_id

    def highest(self, _title: SystemTitle) -> int | None:
        """The highest counter that was taken; None before the first."""
        received: int = self._connection.execute(select(courier_key.c.received).where(self._of_meter)).scalar_one()
        return None if received < 0 else received

    def accept(self, _title: SystemTitle, counter: int) -> None:
        """Keep a higher one."""
        self._connection.execute(update(courier_key).where(self._of_meter).values(received=counter))
