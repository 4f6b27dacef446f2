"""A gateway for a fleet: every meter is in it, with keys that the gateway finds, and it is ready to run."""

from pathlib import Path

import pytest

from deploy.configuration import load
from deploy.fleet_gateway import make_gateway
from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import LocalError
from dlms_objects.meter.fleet.identity import FleetIdentity, sap_of
from dlms_objects.meter.fleet.setup import create
from gateway.check import problems
from gateway.config import GatewayConfig
from tests.support.fleets import new_fleet


def made(tmp_path: Path, listen: str, endpoint: str | None = None, role: Role = Role.MANAGEMENT) -> GatewayConfig:
    create(tmp_path / "fleet", new_fleet(meters=130, listen=listen))
    token = tmp_path / "token"
    token.write_text("a-token-of-a-test\n")
    path = make_gateway(
        tmp_path / "fleet",
        tmp_path / "gateway",
        headend_url="http://127.0.0.1:1",
        token_file=token,
        endpoint=endpoint,
        collect_every_s=5.0,
        role=role,
    )
    return load(path, GatewayConfig)


@pytest.mark.parametrize(("role", "client_sap"), [(Role.MANAGEMENT, 1), (Role.READER, 2)])
def test_every_meter_is_collected_with_its_own_keys(tmp_path: Path, role: Role, client_sap: int) -> None:
    config = made(tmp_path, "127.0.0.1:4999", role=role)
    assert problems(config) == []
    identity = FleetIdentity(7)
    assert [(meter.system_title, meter.server_sap, meter.client_sap) for meter in config.meter] == [
        (identity.title(number), sap_of(number), client_sap) for number in range(1, 131)
    ]
    assert {(meter.endpoint, meter.collect_every_s) for meter in config.meter} == {("tcp:127.0.0.1:4999", 5.0)}
    assert len({meter.name for meter in config.meter}) == 130


def test_an_address_with_colons_is_written_as_an_endpoint(tmp_path: Path) -> None:
    assert made(tmp_path, "[::1]:4999").meter[0].endpoint == "tcp:\\:\\:1:4999"


def test_a_port_that_the_system_chooses_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="the system chooses the fleet's port; name it with --endpoint"):
        made(tmp_path, "127.0.0.1:0")
    assert not (tmp_path / "gateway").exists()


def test_an_endpoint_that_is_named_is_taken(tmp_path: Path) -> None:
    assert made(tmp_path, "127.0.0.1:0", "tcp:10.0.0.7:4059").meter[0].endpoint == "tcp:10.0.0.7:4059"
