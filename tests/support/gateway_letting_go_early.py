"""`meterpurse` with a deliberate fault: the gateway lets go of rows when they are sent, not when they are answered.

When the head-end is not reached it acts as though all rows had been taken. For the tests that must notice it. Run as
`python -m tests.support.gateway_letting_go_early gateway run DIR`.
"""

import base64
import json

from gateway import exchange
from gateway.headend_client import HeadendClient, HeadendUnavailableError


def _taken(body: bytes) -> bytes:
    """The answer of a head-end that has every row of the request."""
    answers = []
    for batch in json.loads(body)["batches"]:
        rows = base64.b64decode(batch["rows"])
        answers.append(
            {
                "system_title": batch["system_title"],
                "status": "accepted",
                "sequence": batch["first"] + len(rows) // 98 - 1,
                "digest": rows[-16:].hex() or bytes(16).hex(),
            }
        )
    return json.dumps({"meters": answers}).encode()


_request = HeadendClient.request


async def _let_go(self: HeadendClient, method: str, path: str, body: bytes) -> bytes:
    try:
        return await _request(self, method, path, body)
    except HeadendUnavailableError:
        if path != exchange.RECORDS_PATH:
            raise
        return _taken(body)


if __name__ == "__main__":
    from deploy.cli import main

    HeadendClient.request = _let_go  # type: ignore[method-assign]
    main()
