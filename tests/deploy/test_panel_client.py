"""The terminal's client: it asks as the page does, and whatever else answers is one clear error."""

import msgspec
import pytest

from deploy.demo.influxdb import free_port
from deploy.panel_client import PanelClient, PanelUnreachableError
from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel import AmountAnswer, TypedAmount
from dlms_objects.meter.panel_site import CourierPage, PanelPage
from tests.support.http_server import Answer, Request, http_server
from tests.support.panels import empty_view

PAGE = PanelPage(view=empty_view(), token="7" * 32, form="form 1")
TYPED = TypedAmount(pin="270614", number=1, due_day="2026-06-20", amount="86.40", form="form 1")
TAKEN = AmountAnswer(is_done=True, words=texts.ENTRY_OPEN)
FRAMES = CourierPage(batch="1", frames=("MPC1:ONE",))


@pytest.fixture
def asked():
    """The requests that the panel got."""
    return []


@pytest.fixture
def panel(asked):
    """A client of a panel that answers as `answers` says."""
    answers = {
        "/panel.json": Answer(body=msgspec.json.encode(PAGE)),
        "/courier.json": Answer(body=msgspec.json.encode(FRAMES)),
        "/amount": Answer(body=msgspec.json.encode(TAKEN)),
    }

    def answer(request: Request) -> Answer:
        asked.append(request)
        return answers[request.path]

    with http_server(answer) as url:
        client = PanelClient(url.removeprefix("http://"))
        client.answers = answers
        client.url = url
        yield client


def test_view_and_frames_come_as_the_meter_has_them(panel):
    assert panel.page() == PAGE
    assert panel.frames() == FRAMES.frames


def test_an_amount_is_sent_with_what_proves_the_page(panel, asked):
    assert panel.enter(TYPED) == TAKEN
    sent = asked[-1]
    assert msgspec.json.decode(sent.body, type=TypedAmount) == TYPED
    assert (sent.headers["Origin"], sent.headers["X-Panel-Token"]) == (panel.url, PAGE.token)


def test_without_a_batch_there_is_no_frame(panel):
    panel.answers["/courier.json"] = Answer(status=404, body=msgspec.json.encode(TAKEN))
    assert panel.frames() == ()


def test_a_refusal_is_an_answer(panel):
    refused = AmountAnswer(is_done=False, words=texts.NOT_FROM_HERE)
    panel.answers["/amount"] = Answer(status=403, body=msgspec.json.encode(refused))
    assert panel.enter(TYPED) == refused


@pytest.mark.parametrize("answer", [Answer(body=b"<html>"), Answer(body=b"{}"), Answer(status=404), Answer(status=500)])
def test_what_is_no_panel_is_told(panel, answer):
    panel.answers["/panel.json"] = answer
    with pytest.raises(PanelUnreachableError, match="is not the front panel of a meter"):
        panel.page()


def test_an_answer_that_breaks_off_is_told(panel):
    panel.answers["/panel.json"] = Answer(body=msgspec.json.encode(PAGE), cut=True)
    with pytest.raises(PanelUnreachableError, match="no front panel answers"):
        panel.page()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_nobody_there_is_told_with_what_to_do(host):
    with pytest.raises(PanelUnreachableError, match="start its meter with: meterpurse meter run"):
        PanelClient(f"{host}:{free_port()}").page()
