"""The tables `[[line]]` of `meter.toml`: further ways to the meter beside `listen`, each HDLC or UDP.

    [[line]]
    endpoint = "hdlc+serial:/dev/ttyUSB0:baudrate=9600:physical=17:turnaround=5"

The text is that of `transport.endpoints`, as a client writes it, seen from the meter: `udp:` and `hdlc+tcp:` are where
it listens. Imported by `config`.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from dlms_objects.errors import InvalidValueError
from dlms_objects.program_folder import host_and_port, is_loopback
from dlms_objects.transport.endpoints import UDP, HdlcStation, hdlc_station


def _is_line(text: str) -> str:
    kind, _, rest = text.partition(":")
    try:
        if hdlc_station(text) is None:
            if kind != UDP:
                raise InvalidValueError(
                    "udp:host:port or an hdlc+...: line is wanted; TCP with the wrapper is `listen`"
                )
            host_and_port(rest.replace("\\:", ":"))
    except InvalidValueError as error:
        raise ValueError(str(error)) from None
    return text


class LineConfig(BaseModel):
    """One line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: Annotated[str, AfterValidator(_is_line)]
    local: bool | None = None

    @model_validator(mode="after")
    def _is_not_for_all_the_network(self) -> Self:
        """The resident's secret goes over the line as it is, so over IP it stays in this machine."""
        host = self._host() if self.local else None
        if host is not None and not is_loopback(host):
            raise ValueError(f"local = true is for a serial or optical line, or a loopback address; {host} is none")
        return self

    @property
    def is_local(self) -> bool:
        """Whether this is the meter's local port, over which the resident may come: as told, else an optical port."""
        station = self.station
        return self.local if self.local is not None else station is not None and station.is_optical

    @property
    def station(self) -> HdlcStation | None:
        """The meter's place on an HDLC line; None for UDP."""
        return hdlc_station(self.endpoint)

    def _host(self) -> str | None:
        """Where the line listens; None for a port of this machine."""
        station = self.station
        if station is None:
            return self.udp[0]
        return None if station.serial is not None else host_and_port(station.line.replace("\\:", ":"))[0]

    @property
    def udp(self) -> tuple[str, int]:
        """Host and port of a line that is not HDLC."""
        return host_and_port(self.endpoint.partition(":")[2].replace("\\:", ":"))
