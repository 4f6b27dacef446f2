"""The table `[panel]` of `meter.toml`: where the front panel's page is served. Without the table there is no page.

Imported by `config`. The PIN is not here: its hash is in a file of its own.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dlms_objects.meter.panel_pin import PIN_NAME
from dlms_objects.program_folder import counted_from_folder, host_and_port, is_loopback


def _loopback(text: str) -> str:
    host, _port = host_and_port(text)
    if not is_loopback(host):
        raise ValueError("the front panel listens on a loopback address only, such as 127.0.0.1:8090")
    return text


class PanelConfig(BaseModel):
    """Where the page is served (a loopback address), and the file that `meterpurse meter panel-pin` writes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1:8090"
    pin: Annotated[Path, AfterValidator(counted_from_folder), Field(validate_default=True)] = Path(PIN_NAME)
