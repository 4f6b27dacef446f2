"""What channels share: secrets from files, words of a peer made safe for the log."""

from pathlib import Path

import pytest

from headend.delivery.sending import ChannelUnusableError, first_line, read_secret


def test_a_secret_is_read_without_its_lines_end(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(" key \n")
    assert read_secret(tmp_path / "s") == "key"


@pytest.mark.parametrize("octets", [b"", b" \n", b"\xff\xfe"])
def test_what_is_no_secret_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "s").write_bytes(octets)
    with pytest.raises(ChannelUnusableError):
        read_secret(tmp_path / "s")


def test_words_of_a_peer_are_one_printable_line() -> None:
    assert first_line(b"550 no\r\n\x1b[31muser \xff") == "550 no ?[31muser �"
    assert len(first_line("x" * 999)) == 200
