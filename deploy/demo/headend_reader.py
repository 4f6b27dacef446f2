"""Reading a head-end's API with a reader's token, as the resident's app would. Imported by the demo."""

from dataclasses import dataclass, field
from typing import Any, cast

import treq
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.web.client import ResponseFailed, ResponseNeverReceived
from twisted.web.http_headers import Headers

from dlms_objects.errors import RemoteError, TransportLostError

TIMEOUT_S = 10.0
PAGE = 200
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadendReader:
    """One purse as the head-end has it. TransportLostError when it does not answer, RemoteError for another answer."""

    url: str
    token: str = field(repr=False)
    system_title: str

    async def reconciliation(self) -> Plain:
        """The books of the purse, counted afresh."""
        return await self._get(f"/api/v1/reconciliation/{self.system_title}")

    async def purse(self) -> Plain:
        """The purse and its fee items."""
        return await self._get(f"/api/v1/purses/{self.system_title}")

    async def notices(self, after: int = 0, language: str | None = None) -> list[Plain]:
        """All notices after an id, oldest first."""
        return await self._pages("mailbox", "notices", after, "" if language is None else f"&language={language}")

    async def entries(self) -> list[Plain]:
        """All booked entries, oldest first."""
        return await self._pages("entries", "entries", 0, "")

    async def _pages(self, path: str, name: str, after: int, query: str) -> list[Plain]:
        found: list[Plain] = []
        position: int | None = after
        while position is not None:
            page = await self._get(f"/api/v1/purses/{self.system_title}/{path}?after={position}&limit={PAGE}{query}")
            found += page[name]
            position = page["next_after"]
        return found

    async def _get(self, path: str) -> Plain:
        headers = Headers({"authorization": [f"Bearer {self.token}"]})
        try:
            response = await treq.get(self.url + path, headers=headers, timeout=TIMEOUT_S)
            content = await treq.json_content(response)
        except (ConnectError, ConnectionDone, ConnectionLost, ResponseFailed, ResponseNeverReceived) as error:
            raise TransportLostError(f"the head-end does not answer: {error}") from error
        if response.code != 200:
            raise RemoteError(f"the head-end answers {response.code} to {path}")
        return cast("Plain", content)
