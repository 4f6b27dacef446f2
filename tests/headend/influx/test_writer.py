"""Writing lines: which answers blame the points, which the server, and how the points to blame are found."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.influx.target import Target
from headend.influx.writer import InfluxUnavailableError, InfluxWriter, PointsRefusedError, deliver
from tests.support.http_server import Answer, Request, http_server

LINES = ["a n=1i 1", "a n=2i 2"]


def target(url: str, *, token: str | None = "secret") -> Target:
    return Target(url=url, token=token, org="org", bucket="books", timeout_s=1, gzip=False)


def test_lines_go_out_as_they_are() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Answer:
        seen.append(request)
        return Answer(status=204)

    with http_server(answer) as url:
        writer = InfluxWriter(target(url))
        writer.write(LINES)
        writer.close()
    (request,) = seen
    assert request.path == "/api/v2/write?org=org&bucket=books&precision=ns"
    assert request.body == b"a n=1i 1\na n=2i 2"
    assert request.headers["Authorization"] == "Token secret"


def test_without_a_token_none_is_sent() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Answer:
        seen.append(request)
        return Answer(status=204)

    with http_server(answer) as url:
        InfluxWriter(target(url, token=None)).write(LINES)
    assert "None" not in seen[0].headers.get("Authorization", "")


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, b'{"error":"unable to parse"}', PointsRefusedError, "^400 unable to parse$"),
        (422, b'{"code":"unprocessable","message":"out of bounds"}', PointsRefusedError, "^422 out of bounds$"),
        (413, b"<html>too large</html>", PointsRefusedError, "^413 Request Entity Too Large$"),
        (400, b'{"error":"database is required"}', InfluxUnavailableError, "database is required"),
        (401, b'{"error":"unauthorized"}', InfluxUnavailableError, "^401 unauthorized$"),
        (404, b'{"error":"database not found"}', InfluxUnavailableError, "^404 database not found$"),
        (429, b"", InfluxUnavailableError, "^429 Too Many Requests$"),
        (503, b"[]", InfluxUnavailableError, "^503"),
    ],
)
def test_an_answer_blames_the_points_or_the_server(
    status: int, body: bytes, error: type[Exception], words: str
) -> None:
    with http_server(lambda _request: Answer(status=status, body=body)) as url, pytest.raises(error, match=words):
        InfluxWriter(target(url)).write(LINES)


def test_points_older_than_the_bucket_keeps_are_in_order() -> None:
    body = b'{"error":"partial write: points beyond retention policy dropped=2"}'
    with http_server(lambda _request: Answer(status=400, body=body)) as url:
        InfluxWriter(target(url)).write(LINES)


def test_no_server_and_a_broken_answer_are_the_servers_fault() -> None:
    with pytest.raises(InfluxUnavailableError, match="refused"):
        InfluxWriter(target("http://127.0.0.1:9")).write(LINES)
    with http_server(lambda _request: Answer(status=500, body=b"x" * 1000, cut=True)) as url:
        with pytest.raises(InfluxUnavailableError) as caught:
            InfluxWriter(target(url)).write(LINES)
        assert len(str(caught.value)) <= 500


@dataclass
class Picky:
    """A server that refuses some lines and, like InfluxDB 1, takes the others of the same request or not."""

    bad: frozenset[str]
    partial: bool
    held: set[str] = field(default_factory=set)
    requests: int = 0

    def write(self, lines: Sequence[str]) -> None:
        self.requests += 1
        bad = self.bad & set(lines)
        if self.partial or not bad:
            self.held |= set(lines) - bad
        if bad:
            raise PointsRefusedError(f"400 {min(bad)}")


@given(st.sets(st.integers(0, 63)), st.booleans())
def test_exactly_the_points_to_blame_are_refused(bad: set[int], partial: bool) -> None:
    lines = [str(number) for number in range(64)]
    server = Picky(bad=frozenset(str(number) for number in bad), partial=partial)
    refused = deliver(server, lines)
    assert [refusal.line for refusal in refused] == [str(number) for number in sorted(bad)]
    assert [refusal.reason for refusal in refused] == [f"400 {number}" for number in sorted(bad)]
    assert server.held == set(lines) - server.bad


def test_one_bad_point_among_thousands_costs_a_few_requests() -> None:
    server = Picky(bad=frozenset({"77"}), partial=False)
    deliver(server, [str(number) for number in range(4096)])
    assert server.requests == 1 + 2 * 12


def test_a_server_that_goes_away_midway_refuses_nothing() -> None:
    class Dying(Picky):
        def write(self, lines: Sequence[str]) -> None:
            if self.requests == 3:
                raise InfluxUnavailableError("gone")
            super().write(lines)

    with pytest.raises(InfluxUnavailableError):
        deliver(Dying(bad=frozenset({"7"}), partial=True), [str(number) for number in range(64)])


def test_lines_keep_their_order() -> None:
    asked: list[list[str]] = []

    class Noting(Picky):
        def write(self, lines: Sequence[str]) -> None:
            asked.append(list(lines))
            super().write(lines)

    deliver(Noting(bad=frozenset({"1"}), partial=False), ["0", "1", "2", "3"])
    assert asked == [["0", "1", "2", "3"], ["0", "1"], ["0"], ["1"], ["2", "3"]]
