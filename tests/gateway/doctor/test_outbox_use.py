"""Whether a gateway is at work on an outbox, seen from another process, and its counters when none is."""

import subprocess
import sys
from pathlib import Path

from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.system_title import SystemTitle
from gateway.doctor.outbox_use import counters_of_gateway, is_in_use
from gateway.store import Store
from tests.support.sources import ROOT

KEYS = MeterCredentials(
    system_title=SystemTitle(b"MPR\x00\x00\x00\x00\x01"),
    client_sap=1,
    server_sap=1,
    encryption_key=b"e" * 16,
    authentication_key=b"a" * 16,
)


def seen_from_outside(path: Path) -> str:
    """What another process says of it."""
    program = (
        "import sys; from pathlib import Path; from gateway.doctor.outbox_use import is_in_use;"
        " sys.stdout.write(str(is_in_use(Path(sys.argv[1]))))"
    )
    run = subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout


def test_an_open_outbox_is_in_use_and_goes_on_undisturbed(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    store = Store(path)
    assert is_in_use(path)
    assert seen_from_outside(path) == "True"
    assert store.run(lambda connection: connection.execute("select held_rows from fill").fetchone()) == (0,)
    store.close()
    assert not is_in_use(path)
    assert seen_from_outside(path) == "False"
    Store(path).close()


def test_an_outbox_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    assert not is_in_use(path)
    assert not path.exists()


def test_counters_are_reserved_durably_and_what_was_received_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    Store(path).close()
    with counters_of_gateway(path, KEYS) as counters:
        first = counters.wire.sent.next()
        counters.accept(KEYS.system_title, 7)
    with counters_of_gateway(path, KEYS) as again:
        assert again.wire.sent.next() > first
        assert again.highest(KEYS.system_title) == 7
