"""A gateway for a whole fleet: one `gateway.toml` with every meter, and the fleet's key ring for their keys."""

from pathlib import Path

from twisted.internet.endpoints import quoteStringArgument

from deploy.configuration import load
from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import LocalError
from dlms_objects.meter.fleet.config import CONFIG_NAME, FleetConfig
from dlms_objects.meter.fleet.identity import FleetIdentity
from dlms_objects.meter.fleet.setup import key_ring
from dlms_objects.program_folder import host_and_port
from gateway.service import read_token
from gateway.setup import NewMeter, create


def make_gateway(
    fleet: Path,
    gateway: Path,
    *,
    headend_url: str,
    token_file: Path | None,
    endpoint: str | None,
    collect_every_s: float,
    role: Role,
) -> Path:
    """Make a gateway that collects from the fleet in a folder; the path of its `gateway.toml`.

    `endpoint` None: where the fleet's configuration says it listens. As `gateway.setup.create`; LocalError when the
    fleet listens on a port that the system chooses and no endpoint is given.
    """
    config = load(fleet / CONFIG_NAME, FleetConfig)
    if endpoint is None:
        host, port = host_and_port(config.listen)
        if port == 0:
            raise LocalError(f"{fleet / CONFIG_NAME}: the system chooses the fleet's port; name it with --endpoint")
        endpoint = f"tcp:{quoteStringArgument(host)}:{port}"
    identity = FleetIdentity(config.seed)
    return create(
        gateway,
        headend_url=headend_url,
        token=None if token_file is None else read_token(token_file),
        meters=[
            NewMeter(
                name=identity.serial_number(number),
                endpoint=endpoint,
                key_file=key_ring(fleet, role),
                collect_every_s=collect_every_s,
                system_title=identity.title(number),
            )
            for number in range(1, config.meters + 1)
        ],
    )
