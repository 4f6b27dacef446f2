"""gateway/scan.py: who is there is found, who is not is passed over, one question at a time."""

from pathlib import Path
from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError, TransportLostError
from gateway.scan import LARGEST_SCAN, Answering, ScanRange, places, scan
from tests.support.real_reactor import run_for_real
from tests.support.wiring import Wiring, free_ports


def scanned(wiring: Wiring, endpoint: str, wanted: ScanRange, timeout_s: float = 5.0) -> list[Answering]:
    """What a scan finds while the meter is on."""
    found: list[Answering] = []

    async def look(reactor: Any) -> None:
        async for answering in scan(reactor, endpoint, wanted, timeout_s=timeout_s, pause_s=0.0):
            found.append(answering)

    wiring.examine(before=look)
    return found


def test_of_the_saps_behind_a_port_those_with_a_logical_device_are_found(tmp_path: Path) -> None:
    first, second = free_ports(2)
    wiring = Wiring(tmp_path, (first, second))
    (found,) = scanned(wiring, f"tcp:127.0.0.1:{first}", ScanRange(server_saps=range(1, 6)))
    assert (found.place.server_sap, found.system_title) == (1, wiring.credentials.system_title)
    assert found.device_name.startswith("MPR")


def test_of_the_addresses_on_a_line_those_with_a_station_are_found(tmp_path: Path) -> None:
    first, second = free_ports(2)
    wiring = Wiring(tmp_path, (first, second))
    line = f"hdlc+tcp:127.0.0.1:{second}"
    found = scanned(wiring, line, ScanRange(physicals=(16, 17)), timeout_s=1.0)
    assert [each.place.endpoint for each in found] == [f"{line}:physical=17"]


def test_a_port_that_is_closed_ends_the_scan_at_once() -> None:
    (closed,) = free_ports(1)

    async def look(reactor: Any) -> list[Answering]:
        wanted = ScanRange(server_saps=range(1, 100))
        return [each async for each in scan(reactor, f"tcp:127.0.0.1:{closed}", wanted, timeout_s=5.0, pause_s=5.0)]

    with pytest.raises(TransportLostError, match="nothing listens on this port"):
        run_for_real(look)


def test_the_places_of_a_serial_line_are_baud_rates_times_addresses() -> None:
    found = places("hdlc+serial:/dev/x", ScanRange(bauds=(300, 9600), physicals=(1, 17)))
    assert [place.endpoint for place in found] == [
        f"hdlc+serial:/dev/x:baudrate={baud}:physical={physical}" for baud in (300, 9600) for physical in (1, 17)
    ]


@pytest.mark.parametrize(
    ("endpoint", "wanted", "words"),
    [
        ("tcp:h:1", ScanRange(physicals=(1,)), "only HDLC lines"),
        ("hdlc+tcp:h:1", ScanRange(bauds=(300,)), "only hdlc.serial lines"),
        ("hdlc+optical:/dev/x", ScanRange(bauds=(300,)), "only hdlc.serial lines"),
        ("tcp:h:1", ScanRange(server_saps=range(LARGEST_SCAN + 1)), "too many"),
    ],
)
def test_a_scan_that_makes_no_sense_is_refused(endpoint: str, wanted: ScanRange, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        places(endpoint, wanted)
