"""`meterpurse` with a deliberate fault: the head-end answers an upload before its transaction is committed.

For the tests that must notice it. Run as `python -m tests.support.early_answering_headend headend run DIR`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from headend.database import Database

T = TypeVar("T")

EARLY_S = 0.1


async def _answer_early(self: Database, work: Callable[[Connection], T]) -> T:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        with self._writer_engine.begin() as connection:
            loop.call_soon_threadsafe(done.set_result, work(connection))
            time.sleep(EARLY_S)

    self._writer.submit(run)
    return await done


if __name__ == "__main__":
    from deploy.cli import main

    assert callable(Database.write)
    Database.write = _answer_early  # type: ignore[method-assign]
    main()
