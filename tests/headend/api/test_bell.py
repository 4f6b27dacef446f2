"""Who waits is woken by the next ring, and not later than was said."""

import asyncio

from headend.api.bell import Bell


def test_everybody_who_waits_wakes_at_once() -> None:
    async def ringing() -> float:
        bell, loop = Bell(), asyncio.get_running_loop()
        waiting = [asyncio.ensure_future(bell.wait(30)) for _ in range(3)]
        await asyncio.sleep(0)
        bell.ring()
        begun = loop.time()
        await asyncio.gather(*waiting)
        return loop.time() - begun

    assert asyncio.run(ringing()) < 5


def test_a_wait_ends_by_itself() -> None:
    asyncio.run(asyncio.wait_for(Bell().wait(0.01), 5))
