"""What wakes the gateways that wait for commands: rung when one was made. Imported by the routers and `application`."""

import asyncio


class Bell:
    """Everybody who waits wakes at once when it is rung; who comes later waits for the next time."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits; to be called on the event loop."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait for the next ring, but not longer than that."""
        try:
            await asyncio.wait_for(self._next.wait(), seconds)
        except TimeoutError:
            return
