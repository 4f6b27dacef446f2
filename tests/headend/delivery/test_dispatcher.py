"""The worker: it delivers, one channel never holds up another, faults stay inside, a stop finishes what is in hand."""

import asyncio
from collections.abc import Iterator

import pytest

from headend.config import HeadendConfig
from headend.database import Database, transaction
from headend.delivery import log
from headend.delivery.dispatcher import Dispatcher
from headend.delivery.message import Message
from headend.delivery.plan import plan
from headend.delivery.sending import Channel, SendError
from headend.ingest import ingest
from headend.place import Place
from tests.support.deliveries import NOW, clock
from tests.support.headend_books import usual_journal

DOCUMENT = {
    "notices": {"look_every_s": 0.01, "retry_first_s": 0.001, "attempts": 3},
    "smtp": {"host": "localhost", "sender": "a@example.org"},
    "sms": {"url": "https://sms.example.org"},
    "recipient": [
        {"name": "a", "email": "a@example.org", "sms": "123", "events": ["deduction"]},
        {"name": "op", "email": "op@example.org", "events": ["delivery_dead"]},
    ],
}
CONFIG = HeadendConfig.model_validate(DOCUMENT)


class Fake:
    """A channel that keeps what it is given, or does what it is told."""

    def __init__(self, fault: Exception | None = None, hangs_s: float = 0) -> None:
        self.got: list[Message] = []
        self.fault = fault
        self.hangs_s = hangs_s

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self.hangs_s)
        if self.fault is not None and message.recipient.name != "op":
            raise self.fault
        self.got.append(message)


@pytest.fixture
def database(fresh: Place) -> Iterator[Database]:
    with transaction(fresh) as connection:
        ingest(connection, [usual_journal().batch()])
        plan(connection, CONFIG.recipient, now=NOW)
    database = Database(fresh, write_queue=4)
    yield database
    database.close()


def run(database: Database, channels: dict[str, Channel], *, seconds: float = 0.5) -> list[log.Delivery]:
    async def work() -> list[log.Delivery]:
        dispatcher = Dispatcher(CONFIG, database, channels, clock)
        running = asyncio.ensure_future(dispatcher.run())
        await asyncio.sleep(seconds)
        dispatcher.stop()
        await asyncio.wait_for(running, 5)
        return await database.read(lambda connection: log.deliveries(connection, limit=99))

    return asyncio.run(work())


def test_what_is_due_is_sent_and_a_channel_that_hangs_holds_up_no_other(database: Database) -> None:
    mail, sms = Fake(), Fake(hangs_s=0.8)
    rows = run(database, {"email": mail, "sms": sms})
    assert [(row.channel, row.state.value) for row in rows if row.channel == "email"] == [("email", "sent")] * 2
    assert len(mail.got) == 2
    assert len(sms.got) == 1  # it was in hand when the stop came, and was finished
    assert not [row for row in rows if row.state is log.State.SENDING]


@pytest.mark.parametrize("fault", [SendError("refused: 550 no", is_final=True), LookupError("planted")])
def test_a_failure_is_in_the_log_and_the_operator_is_told(database: Database, fault: Exception) -> None:
    mail = Fake(fault)
    rows = run(database, {"email": mail, "sms": Fake()})
    of_a = [row for row in rows if row.recipient == "a" and row.channel == "email"]
    expected = "refused: 550 no" if isinstance(fault, SendError) else "a fault of ours: LookupError"
    assert {row.reason for row in of_a} == {expected}
    if isinstance(fault, SendError):
        assert {row.state.value for row in of_a} == {"dead"}
        assert [message.text.subject for message in mail.got] == ["Alarm: a notice to a could not be delivered"] * 2


def test_what_a_crash_left_is_sent_once_more(database: Database) -> None:
    claim = asyncio.run(database.write(lambda connection: log.claim_next(connection, "email", now=NOW)))
    assert claim is not None
    mail = Fake()
    rows = run(database, {"email": mail, "sms": Fake()})
    assert [(row.state.value, row.attempts) for row in rows if row.channel == "email"] == [("sent", 2), ("sent", 1)]
    assert len(mail.got) == 2
