"""A gateway's folder as every command reads it: the configuration, looked through to the files it names.

Imported by the gateway's commands when they are called.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThreadPool

from deploy.configuration import load
from deploy.toml_lines import Path as TomlPath
from gateway.check import problems
from gateway.config import GatewayConfig
from gateway.reload import Changes
from gateway.service import GatewayService, read_settings
from gateway.setup import CONFIG_NAME


def load_gateway(folder: Path) -> GatewayConfig:
    """The configuration in a gateway's folder; ConfigurationError with every mistake in it and in its files."""
    return load(folder / CONFIG_NAME, GatewayConfig, _further)


async def reload_gateway(service: GatewayService, reactor: Any, folder: Path) -> Changes:
    """Read the folder again, off the reactor's thread, and go on with it; LocalError as at a start."""
    wanted = await deferToThreadPool(reactor, reactor.getThreadPool(), lambda: read_settings(load_gateway(folder)))
    return await service.reload(wanted)


def _further(config: GatewayConfig) -> Iterator[tuple[TomlPath, str]]:
    for problem in problems(config):
        yield problem.place, problem.message
