"""What another configuration changes in a running gateway, and what waits for the next start.

No I/O: `service.py` carries it out. Nothing that changed is passed over in silence: it is either among `running` or
named in `at_restart`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from dlms_objects.transport.credentials import MeterCredentials
from gateway.config import GatewayConfig, MeterSection

AT_ONCE = ("concurrency", "session_limit_s")
"""The settings of `[collection]` that take effect while the gateway runs, as every `[[meter]]` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A configuration together with the keys that its meters' key files held, by the name of the meter.

    `command_credentials` are those of the meters that take commands.
    """

    config: GatewayConfig
    credentials: Mapping[str, MeterCredentials]
    command_credentials: Mapping[str, MeterCredentials] = field(default_factory=dict)

    def meters(self) -> dict[str, tuple[MeterSection, MeterCredentials, MeterCredentials | None]]:
        """Each meter's section, keys and keys for commands, by its name."""
        return {
            meter.name: (meter, self.credentials[meter.name], self.command_credentials.get(meter.name))
            for meter in self.config.meter
        }

    def only(self, names: Collection[str]) -> "Settings":
        """The same without the other meters."""
        here = set(names)
        meters = tuple(meter for meter in self.config.meter if meter.name in here)
        return replace(self, config=self.config.model_copy(update={"meter": meters}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """From the settings that run to those wanted: names of meters, and of settings that wait for a restart."""

    running: Settings
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    new_limits: bool
    at_restart: tuple[str, ...]

    def __str__(self) -> str:
        """As the log and `systemctl status` say it."""
        words = f"meters: {len(self.added)} added, {len(self.removed)} removed, {len(self.changed)} changed"
        if self.new_limits:
            words += "; new limits of sessions"
        return words + (f"; at the next start only: {', '.join(self.at_restart)}" if self.at_restart else "")


def changes(running: Settings, wanted: Settings) -> Changes:
    """What is to be done; a meter is changed when its section or its keys are."""
    before, after = running.meters(), wanted.meters()
    at_once = {name: getattr(wanted.config.collection, name) for name in AT_ONCE}
    collection = running.config.collection.model_copy(update=at_once)
    config = running.config.model_copy(update={"meter": wanted.config.meter, "collection": collection})
    return Changes(
        running=replace(wanted, config=config),
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
        new_limits=collection != running.config.collection,
        at_restart=tuple(_differences(config, wanted.config)),
    )


def _differences(running: BaseModel, wanted: BaseModel, prefix: str = "") -> Iterator[str]:
    for name in type(running).model_fields:
        before, after = getattr(running, name), getattr(wanted, name)
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            yield from _differences(before, after, f"{prefix}{name}.")
        elif before != after:
            yield prefix + name
