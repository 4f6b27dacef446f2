"""The front panel of a running meter, asked over its loopback page: what the terminal shows comes from there.

The meter's store is locked by the process that runs it, so there is no other way to it. Blocking, one connection a
question; imported by the terminal's panel.
"""

import http.client
from typing import Any, Final, TypeVar

import msgspec

from dlms_objects.errors import LocalError
from dlms_objects.meter.panel import AmountAnswer, TypedAmount
from dlms_objects.meter.panel_site import TOKEN_HEADER, CourierPage, PanelPage
from dlms_objects.program_folder import host_and_port

TIMEOUT_S: Final = 10.0

T = TypeVar("T")


class PanelUnreachableError(LocalError):
    """No meter answers as a front panel where its settings say."""


class PanelClient:
    """Asks one panel."""

    def __init__(self, listen: str) -> None:
        """`listen` is the panel's host:port; nothing is asked yet."""
        self._host, self._port = host_and_port(listen)
        self._origin = f"http://[{self._host}]" if ":" in self._host else f"http://{self._host}"
        self._origin += f":{self._port}"
        self._page: PanelPage | None = None

    def page(self) -> PanelPage:
        """What the panel shows now; PanelUnreachableError."""
        self._page = self._ask("GET", "/panel.json", PanelPage)
        return self._page

    def frames(self) -> tuple[str, ...]:
        """The frames of the courier's batch; none when the meter has none to give. PanelUnreachableError."""
        return self._ask("GET", "/courier.json", CourierPage, absent=CourierPage(batch="", frames=())).frames

    def enter(self, typed: TypedAmount) -> AmountAnswer:
        """Set an amount; the same `typed` again is harmless when the answer was lost. PanelUnreachableError."""
        page = self._page or self.page()
        headers = {"Origin": self._origin, "Content-Type": "application/json", TOKEN_HEADER: page.token}
        return self._ask("POST", "/amount", AmountAnswer, body=msgspec.json.encode(typed), headers=headers)

    def _ask(self, method: str, path: str, kind: type[T], *, absent: T | None = None, **sent: Any) -> T:
        """The answer as that type; `absent` is what a 404 means."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, **sent)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise PanelUnreachableError(
                f"no front panel answers at {self._origin}: {error}; start its meter with: meterpurse meter run"
            ) from error
        finally:
            connection.close()
        if answer.status == http.HTTPStatus.NOT_FOUND and absent is not None:
            return absent
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError:
            raise PanelUnreachableError(
                f"what answers at {self._origin} is not the front panel of a meter (HTTP {answer.status})"
            ) from None
