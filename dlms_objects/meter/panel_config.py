"""The table `[panel]` of `meter.toml`: where the front panel's page is served. Without the table there is no page.

Imported by `config`. The PIN is not here: its hash is in a file of its own.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dlms_objects.meter.panel_pin import PIN_NAME
from dlms_objects.program_folder import counted_from_folder, host_and_port


def _loopback(text: str) -> str:
    host, _port = host_and_port(text)
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError("the front panel listens on a loopback address only, such as 127.0.0.1:8090")
    return text


class PanelConfig(BaseModel):
    """Where the page is served (a loopback address), and the file that `meterpurse meter panel-pin` writes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1:8090"
    pin: Annotated[Path, AfterValidator(counted_from_folder), Field(validate_default=True)] = Path(PIN_NAME)
