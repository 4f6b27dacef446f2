"""Reading back: exact numbers, and one clear error whatever answers."""

import pytest

from dlms_objects.errors import RemoteError, TransportLostError
from headend.influx.query import QueryRefusedError, Series, query
from headend.influx.target import Target
from tests.support.http_server import Answer, http_server

ROWS = (
    b'{"results":[{"statement_id":0,"series":[{"name":"purse_entry","tags":{"meter":"A"},'
    b'"columns":["time","sum"],"values":[[1,9223372036854775807]]}]}]}'
)


def target(url: str) -> Target:
    return Target(url=url, token="secret", org="-", bucket="the books", timeout_s=1, gzip=False)


def test_whole_numbers_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Found:
        def __enter__(self) -> "Found":
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def read(self) -> bytes:
            return ROWS

    def opened(request: object, timeout: float) -> Found:
        asked.append(f"{request.full_url} {request.get_header('Authorization')} {timeout}")  # type: ignore[attr-defined]
        return Found()

    monkeypatch.setattr("headend.influx.query.urlopen", opened)
    series = query(target("http://influx"), "SELECT 1")
    assert series == [
        Series(measurement="purse_entry", tags={"meter": "A"}, rows=({"time": 1, "sum": 9223372036854775807},))
    ]
    assert asked == ["http://influx/query?db=the+books&q=SELECT+1&epoch=ns Token secret 1"]


def test_what_goes_wrong_is_said() -> None:
    with pytest.raises(TransportLostError, match="does not answer"):
        query(target("http://127.0.0.1:9"), "SELECT 1")
    with http_server(lambda _request: Answer(status=501)) as url, pytest.raises(QueryRefusedError, match="^501"):
        query(target(url), "SELECT 1")


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"<html>", RemoteError), (b'{"results":[{"error":"no such database"}]}', QueryRefusedError)],
)
def test_an_answer_that_is_none_is_said(body: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("headend.influx.query.urlopen", lambda _request, timeout: io.BytesIO(body))
    with pytest.raises(error):
        query(target("http://influx"), "SELECT 1")
