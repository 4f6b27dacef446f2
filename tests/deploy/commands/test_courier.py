"""`meterpurse courier`: a batch out, an instruction in, an answer back; a running meter, the head-end of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.courier_files import read_sealed
from dlms_objects.purse.entry import ROW_LENGTH
from tests.support.command_line import Run, call, invoke, served
from tests.support.courier_headend import DONE, CourierHeadEnd


class Route:
    """A courier between one running meter and its head-end."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.head_end = CourierHeadEnd(folder / "keys" / "courier.toml")
        self.endpoint = endpoint

    def fetch(self, *arguments: str | Path) -> Run:
        return invoke("courier", "fetch", *arguments, "--endpoint", self.endpoint)

    def deliver(self, *arguments: str | Path) -> Run:
        return invoke("courier", "deliver", *arguments, "--endpoint", self.endpoint)


@pytest.fixture(scope="module")
def route(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Route]:
    folder = tmp_path_factory.mktemp("meter") / "m"
    made = call("meter", "init", folder, "--listen", "127.0.0.1:0")
    assert made.code == 0, made.err
    with served("meter", "run", folder, "--log-level", "error") as meter:
        yield Route(folder, meter.ready.split()[0])


def test_an_instruction_goes_in_and_its_answer_and_the_batch_come_out(route: Route, tmp_path: Path) -> None:
    (tmp_path / "instruction").write_bytes(route.head_end.top_up(1, 500))
    delivered = route.deliver(tmp_path / "instruction", tmp_path / "answer")
    assert (delivered.code, delivered.err) == (0, "")
    answer = route.head_end.read((tmp_path / "answer").read_bytes())
    assert (answer.result, answer.value[3]) == (0, DONE)
    fetched = route.fetch(tmp_path / "batch.txt", "--as", "text")
    assert (fetched.code, fetched.err) == (0, "")
    assert route.head_end.take(read_sealed(tmp_path / "batch.txt")) == 1
    assert route.head_end.balance == 500


def test_a_batch_is_fetched_as_pictures(route: Route, tmp_path: Path) -> None:
    fetched = route.fetch(tmp_path / "batch.svg", "--as", "svg")
    assert fetched.code == 0, fetched.err
    assert [line.split(": ")[1] for line in fetched.out.splitlines()] == [
        str(path) for path in sorted(tmp_path.iterdir())
    ]


def test_an_instruction_delivered_twice_is_refused_in_one_clear_line(route: Route, tmp_path: Path) -> None:
    (tmp_path / "instruction").write_bytes(route.head_end.top_up(2, 5))
    assert route.deliver(tmp_path / "instruction", tmp_path / "answer").code == 0
    again = route.deliver(tmp_path / "instruction", tmp_path / "second")
    assert again.code == 2
    assert again.err == (
        "the meter refuses the instruction: it is for another meter, was delivered before, or was altered on its way;"
        " ask the head-end for a new one\n"
    )
    assert not (tmp_path / "second").exists()


def test_a_file_in_the_way_is_told_before_anything_is_carried(route: Route, tmp_path: Path) -> None:
    (tmp_path / "instruction").write_bytes(route.head_end.top_up(3, 5))
    (tmp_path / "answer").write_text("mine")
    for ended in (
        route.deliver(tmp_path / "instruction", tmp_path / "answer"),
        route.fetch(tmp_path / "answer"),
    ):
        assert (ended.code, ended.out) == (2, "")
        assert (
            ended.err
            == f"{tmp_path / 'answer'}: there is a file already, and nothing was changed; choose another name\n"
        )
    assert route.deliver(tmp_path / "instruction", tmp_path / "free").code == 0


def test_a_file_that_is_no_instruction_never_reaches_the_meter(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("milk, bread")
    ended = call("courier", "deliver", tmp_path / "note", tmp_path / "answer", "--endpoint", "tcp:127.0.0.1:1")
    assert (ended.code, ended.out) == (2, "")
    assert "neither sealed octets nor frames" in ended.err


def test_a_meter_that_is_not_there_is_told(tmp_path: Path) -> None:
    ended = invoke("courier", "fetch", tmp_path / "batch", "--endpoint", "tcp:127.0.0.1:1")
    assert ended.code == 2
    assert ended.err.startswith("tcp:127.0.0.1:1: cannot connect")
    assert not (tmp_path / "batch").exists()


def test_a_meter_behind_another_sap_is_asked_for(route: Route, tmp_path: Path) -> None:
    ended = route.fetch(tmp_path / "batch", "--server-sap", "7", "--timeout", "1")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1


@pytest.fixture
def village(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """A meter that no gateway reaches, and a head-end that has its courier's keys: endpoint, URL, management keys."""
    meter, headend = tmp_path / "m", tmp_path / "h"
    assert call("meter", "init", meter, "--listen", "127.0.0.1:0").code == 0
    assert call("headend", "init", headend, "--listen", "127.0.0.1:0").code == 0
    keys = meter / "keys" / "courier.toml"
    title = CourierHeadEnd(keys).meter.hex()
    assert call("headend", "add-meter", headend, title, "--household", "Flat 3").code == 0
    assert call("headend", "add-courier-keys", headend, keys, "--currency", "CNY:-2").code == 0
    with (
        served("meter", "run", meter, "--log-level", "error") as metering,
        served("headend", "run", headend, "--log-level", "error") as booking,
    ):
        yield metering.ready.split()[0], booking.ready, meter / "keys" / "management.toml"


def test_a_meter_that_no_gateway_reaches_is_booked_and_acknowledged_by_hand(
    village: tuple[str, str, Path], tmp_path: Path
) -> None:
    endpoint, url, keys = village
    at_meter, at_office = ("--endpoint", endpoint), ("--url", url)
    assert invoke("dlms", "top-up", "700.00", *at_meter, "--keys", keys).code == 0
    assert invoke("courier", "fetch", tmp_path / "batch", *at_meter).code == 0
    handed = invoke("courier", "hand-in", tmp_path / "batch", tmp_path / "there.txt", "--as", "text", *at_office)
    assert (handed.code, handed.err) == (0, "")
    delivered = invoke("courier", "deliver", tmp_path / "there.txt", tmp_path / "answer", *at_meter)
    assert (delivered.code, delivered.err) == (0, "")
    assert "acknowledged" in invoke("dlms", "purse", *at_meter, "--keys", keys).out
    assert invoke("courier", "fetch", tmp_path / "after", *at_meter).code == 0
    batch, after = (read_sealed(tmp_path / name) for name in ("batch", "after"))
    assert len(batch) - len(after) >= ROW_LENGTH  # what was acknowledged is not carried again
    assert invoke("courier", "hand-in", tmp_path / "after", tmp_path / "second", *at_office).code == 0
    old = invoke("courier", "hand-in", tmp_path / "batch", tmp_path / "third", *at_office)
    assert (old.code, old.err) == (
        2,
        "the head-end answers 409: a newer batch of this meter was handed in before; nothing is lost by that\n",
    )
