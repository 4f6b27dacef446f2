"""The commands about notices, as an operator types them."""

from pathlib import Path

import pytest

from deploy.cli import run
from headend.setup import create
from tests.support.mail_server import mail_server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "headend")
    return tmp_path / "headend"


def test_an_empty_log_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["headend", "notices", "list", str(folder)]) == 0
    assert "Deliveries" in capsys.readouterr().out
    assert run(["headend", "notices", "list", str(folder), "--state", "lost"]) == 2


@pytest.mark.parametrize("command", [["retry"], ["bounced"]])
def test_a_delivery_that_is_not_there_is_one_clear_line(folder: Path, command: list[str]) -> None:
    words = ["mailbox full"] if command == ["bounced"] else []
    assert run(["headend", "notices", *command, str(folder), "7", *words]) == 2


def test_a_preview_reads_as_the_notice_will(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["headend", "notices", "preview", "low_balance", "--language", "zh-CN", "--form", "sms"]) == 0
    assert capsys.readouterr().out == "余额不足提醒：¥49.99。Building 3, flat 1204\n"
    assert run(["headend", "notices", "preview", "nothing"]) == 2
    assert run(["headend", "notices", "preview", "test", "--form", "smoke"]) == 2
    assert run(["headend", "notices", "preview", "test", "--language", "de"]) == 2


def test_a_test_is_sent_from_here(folder: Path) -> None:
    import subprocess
    import sys

    with mail_server() as server:
        with (folder / "headend.toml").open("a") as file:
            file.write(
                f'[smtp]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nsender = "a@example.org"\n'
                '[[recipient]]\nname = "anna"\nemail = "anna@example.org"\n'
            )
        command = [sys.executable, "-m", "deploy", "headend", "notices", "test", str(folder)]
        ended = subprocess.run([*command, "anna"], capture_output=True, text=True, timeout=30, check=False)
        assert (ended.returncode, ended.stdout) == (0, "email                sent\n"), ended.stderr
        ended = subprocess.run([*command, "ben"], capture_output=True, text=True, timeout=30, check=False)
        assert (ended.returncode, ended.stderr) == (2, "no recipient 'ben'; there are anna\n")
    assert [mail["Subject"] for mail in server.mails] == ["A test of MeterPurse for anna"]
