"""Roots of a file in place of the system's."""

from pathlib import Path

import pytest

from headend.delivery.sending import ChannelUnusableError
from headend.delivery.trust import tls_to
from tests.support.certificates import self_signed


def test_roots_are_read_from_a_file(tmp_path: Path) -> None:
    assert tls_to("localhost", self_signed(tmp_path, "localhost").certificate) is not None
    assert tls_to("localhost", None) is not None


def test_a_file_without_roots_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roots").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for path in (tmp_path / "roots", tmp_path / "none"):
        with pytest.raises(ChannelUnusableError):
            tls_to("localhost", path)
