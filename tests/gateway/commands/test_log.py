"""gateway/commands/log.py: an id is one command for ever, and its first result stays."""

from pathlib import Path

from dlms_objects.values.system_title import SystemTitle
from gateway.commands import log
from gateway.commands.model import Command, Result
from gateway.store import Store

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")


def test_an_id_is_one_command_and_its_first_result_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "outbox.sqlite3")
    command = Command(identifier="0c" * 16, title=TITLE, kind="supply", parameters={"connected": True})
    take = [store.run(lambda c: log.take_in(c, [command], judge=lambda _: None, now_s=1)) for _ in range(2)]
    assert take == [[command], []]
    store.run(lambda c: log.begin(c, command.identifier))
    assert store.run(log.counts) == {"waiting": 0, "begun": 1, "unreported": 0}
    assert store.run(lambda c: log.finish(c, command.identifier, Result.confirmed(), now_s=2))
    assert not store.run(lambda c: log.finish(c, command.identifier, Result.failed("late"), now_s=3))
    (report,) = store.run(log.unreported)
    assert (report.result, report.at_s) == (Result.confirmed(), 2)
    store.run(lambda c: log.reported(c, command.identifier, now_s=4))
    assert store.run(log.unreported) == []
    store.close()
