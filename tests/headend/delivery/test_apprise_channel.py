"""The channel through apprise, with a stand-in of the same two calls: the library is an extra."""

import asyncio
import sys
from pathlib import Path
from types import ModuleType

import pytest

from headend.delivery.apprise_channel import AppriseChannel
from headend.delivery.config import AppriseConfig
from headend.delivery.sending import ChannelUnusableError, SendError
from tests.support.deliveries import message


class StandIn:
    """Knows addresses that begin with `ok`; one that says `mute` fails."""

    said: list[tuple[list[str], str]] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def add(self, address: str) -> bool:
        self.addresses.append(address)
        return address.startswith("ok")

    def notify(self, *, body: str, title: str) -> bool:
        self.said.append((self.addresses, title))
        assert body
        return "mute" not in self.addresses[-1]


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> AppriseChannel:
    module = ModuleType("apprise")
    module.Apprise = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "apprise", module)
    return AppriseChannel(AppriseConfig())


def test_every_address_of_the_file_is_notified(channel: AppriseChannel, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("ok://one\nok://two\n")
    asyncio.run(channel.send(message(apprise_file=tmp_path / "a")))
    assert StandIn.said[-1] == (["ok://one", "ok://two"], "Rent已扣款¥3,500.00")


@pytest.mark.parametrize(("addresses", "is_final"), [("secret://token", True), ("ok://mute", False)])
def test_a_failure_names_no_address(channel: AppriseChannel, tmp_path: Path, addresses: str, *, is_final: bool) -> None:
    (tmp_path / "a").write_text(addresses)
    with pytest.raises(SendError) as caught:
        asyncio.run(channel.send(message(apprise_file=tmp_path / "a")))
    assert caught.value.is_final == is_final
    assert addresses not in str(caught.value)


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ChannelUnusableError, match="pip install"):
        AppriseChannel(AppriseConfig())
