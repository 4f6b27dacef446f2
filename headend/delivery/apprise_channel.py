"""Messages through the apprise library, an extra (`meterpurse[apprise]`): chat services, push services and more.

Its addresses hold secrets, so they are read from a file, and none of its words go into the log. Imported by `channels`.
"""

import asyncio
import importlib
from typing import Any

from headend.delivery.config import AppriseConfig
from headend.delivery.message import Message
from headend.delivery.sending import ChannelUnusableError, SendError, read_secret


class AppriseChannel:
    """Notifies the addresses of a recipient, in a thread."""

    def __init__(self, config: AppriseConfig) -> None:
        """ChannelUnusableError when the library is not installed."""
        self._timeout_s = config.timeout_s
        try:
            self._apprise: Any = importlib.import_module("apprise")
        except ImportError as error:
            raise ChannelUnusableError("apprise is not installed: pip install 'meterpurse[apprise]'") from error

    async def send(self, message: Message) -> None:
        """Notify all addresses; SendError unless every one of them took it."""
        path = message.recipient.apprise_file
        if path is None:
            raise SendError("the recipient has no apprise addresses any more", is_final=True)
        addresses = self._apprise.Apprise()
        for number, address in enumerate(read_secret(path).split(), start=1):
            if not addresses.add(address):
                raise SendError(f"{path}: address {number} is none that apprise knows", is_final=True)
        sending = asyncio.to_thread(addresses.notify, body=message.text.body, title=message.text.subject)
        try:
            taken = await asyncio.wait_for(sending, self._timeout_s)
        except TimeoutError as error:
            raise SendError(f"apprise took longer than {self._timeout_s} s") from error
        if not taken:
            raise SendError("apprise could not notify every address")
