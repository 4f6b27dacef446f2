"""Laws of messages: the key of a repeat, the language, digests, and pictures of statements."""

from sqlalchemy import Connection, update

from headend import schema
from headend.delivery import log
from headend.delivery.message import compose
from headend.delivery.plan import plan
from headend.ingest import ingest
from headend.notices import Facts, NoticeKind, row_of
from tests.support.deliveries import NOW, recipient
from tests.support.headend_books import usual_journal


def claimed(connection: Connection, told: object, *, now: object = NOW) -> log.Claim:
    ingest(connection, [usual_journal().batch()])
    plan(connection, [told], now=NOW)  # type: ignore[list-item]
    connection.execute(update(schema.delivery).values(due_at=log.naive(NOW)))
    claim = log.claim_next(connection, "email", now=NOW)
    assert claim is not None
    return claim


def test_a_repeat_has_the_same_key_and_another_notice_another(connection: Connection) -> None:
    anna = recipient()
    first = claimed(connection, anna)
    second = log.claim_next(connection, "email", now=NOW)
    assert second is not None
    key = compose(connection, first, anna).key
    assert key == compose(connection, first, anna).key
    assert key != compose(connection, second, anna).key
    assert len(key) == 32


def test_the_language_is_the_recipients_or_else_the_households(connection: Connection) -> None:
    claim = claimed(connection, recipient())
    assert compose(connection, claim, recipient()).text.subject == "充值¥5,000.00已到账"
    assert compose(connection, claim, recipient(language="en")).text.subject == "Top-up of CN¥5,000.00 received"


def test_a_digest_holds_every_notice(connection: Connection) -> None:
    daily = recipient(digest_at="20:00", language="en")
    message = compose(connection, claimed(connection, daily), daily)
    assert message.text.subject == "6 notices: Balance corrected: CN¥0.07 taken and others"
    assert message.text.body.count("Balance before") == 6
    assert len(message.items) == 6


def test_a_statement_is_drawn(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    plan(connection, [], now=NOW)
    time = usual_journal().entries[0].time.octets.hex()
    facts = Facts(time=time, month="2026-01", before_minor=0, after_minor=1, topped_up_minor=1, deducted_minor=0)
    connection.execute(schema.notice.insert().values(row_of(1, NoticeKind.STATEMENT, 202601, facts)))
    anna = recipient()
    plan(connection, [anna], now=NOW)
    claim = log.claim_next(connection, "email", now=NOW)
    assert claim is not None
    message = compose(connection, claim, anna)
    assert [picture.name for picture in message.pictures] == ["balance", "shares"]
    assert 'src="cid:balance" alt="2026年1月余额"' in message.html
