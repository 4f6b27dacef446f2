"""Laws of handing in over HTTP: octets or frames, no login, refusals that tell little, and not too often."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from dlms_objects.classes.courier_frames import FrameCollection, courier_frames
from headend import courier_keys
from headend.api.application import make_application
from headend.api.courier import FRAMES, MAXIMUM_OCTETS, OCTETS
from headend.api.rate_limit import RateLimit
from headend.database import Database
from headend.root_key import RootKey, create
from tests.headend.api.conftest import BODY_LIMIT, READER
from tests.support.courier_meter import CourierMeter
from tests.support.headend_books import CNY, TITLE, usual_journal

PATH = "/api/courier/v1/batches"


@pytest.fixture
def root(tmp_path: Path) -> RootKey:
    create(tmp_path / "root.key")
    return RootKey.load(tmp_path / "root.key")


@pytest.fixture
def meter(database: Database, root: RootKey) -> CourierMeter:
    meter = CourierMeter(usual_journal())
    database.write_now(lambda connection: courier_keys.store(connection, root, meter.credentials, CNY))
    return meter


@pytest.fixture
def office(database: Database, root: RootKey) -> Iterator[httpx.Client]:
    """A client without a token, at a head-end that keeps keys."""
    application = make_application(
        database,
        maximum_body_octets=4 * MAXIMUM_OCTETS,
        root_key=root,
        courier_limit=RateLimit(burst=20, per_minute=60),
    )
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


def hand_in(office: httpx.Client, content: bytes, form: str = OCTETS) -> httpx.Response:
    return office.post(PATH, content=content, headers={"Content-Type": form})


def test_a_batch_is_booked_and_answered_with_a_sealed_acknowledgement(
    office: httpx.Client, meter: CourierMeter
) -> None:
    answered = hand_in(office, meter.batch())
    assert (answered.status_code, answered.headers["content-type"]) == (200, OCTETS)
    assert meter.acknowledged(answered.content) == meter.head
    purse = office.get(f"/api/v1/purses/{TITLE}", headers=READER).json()
    assert purse["sequence"] == 6


def test_frames_are_answered_with_frames(office: httpx.Client, meter: CourierMeter) -> None:
    frames = courier_frames(meter.batch())
    assert len(frames) > 1
    answered = hand_in(office, "\r\n".join([*reversed(frames), frames[0], ""]).encode(), f"{FRAMES}; charset=utf-8")
    assert answered.status_code == 200, answered.text
    collection = FrameCollection()
    for line in answered.text.splitlines():
        collection.add(line)
    assert meter.acknowledged(collection.batch()) == meter.head


@pytest.mark.parametrize("content", [b"", b"MPC1:", b"\xff\xfe", b"MPC1:BAM*ND"])
def test_what_are_no_frames_is_told(office: httpx.Client, content: bytes) -> None:
    assert hand_in(office, content, FRAMES).status_code == 400


def test_refusals_tell_no_cause(office: httpx.Client, meter: CourierMeter) -> None:
    sealed = meter.batch()
    stranger = CourierMeter(usual_journal()).batch()
    altered = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    details = set()
    for content in (stranger, altered, sealed[:40], b"", b"\x00" * 200):
        refused = hand_in(office, content)
        assert refused.status_code == 403
        details.add(refused.json()["detail"])
    assert len(details) == 1


def test_an_older_batch_is_refused_and_the_newest_is_answered_alike(office: httpx.Client, meter: CourierMeter) -> None:
    older, newer = meter.batch(1, 3), meter.batch()
    first = hand_in(office, newer)
    assert hand_in(office, newer).content == first.content
    assert hand_in(office, older).status_code == 409


def test_rows_that_are_missing_are_told(office: httpx.Client, meter: CourierMeter) -> None:
    assert hand_in(office, meter.batch(4)).status_code == 409


def test_a_longer_body_is_not_read(office: httpx.Client) -> None:
    assert hand_in(office, bytes(MAXIMUM_OCTETS + 1)).status_code == 413


def test_another_form_is_not_taken(office: httpx.Client) -> None:
    assert hand_in(office, b"{}", "application/json").status_code == 415


def test_who_comes_too_often_is_asked_to_wait(office: httpx.Client) -> None:
    answers = [hand_in(office, b"") for _ in range(22)]
    assert {answer.status_code for answer in answers[:20]} == {403}
    assert answers[21].status_code == 429
    assert 1 <= int(answers[21].headers["Retry-After"]) <= 2


def test_without_a_root_key_no_courier_is_served(client: httpx.Client) -> None:
    answered = client.post(PATH, content=b"", headers={"Content-Type": OCTETS})
    assert answered.status_code == 503
    assert BODY_LIMIT <= MAXIMUM_OCTETS
