"""Handing in at the head-end what a courier carries: the sealed batch in, the sealed instruction out. No login.

Imported by the command.
"""

import json
import urllib.error
import urllib.request
from http.client import HTTPException

from dlms_objects.errors import RefusedError, RemoteError, TransportLostError

BATCHES_PATH = "/api/courier/v1/batches"
OCTETS = "application/octet-stream"
MOST_OCTETS = 64 * 1024


class BatchRefusedError(RefusedError):
    """The head-end does not take the batch; the text says why, as far as a courier may know."""


def hand_in(url: str, batch: bytes, *, timeout_s: float) -> bytes:
    """The sealed instruction for the meter, in answer to its batch.

    BatchRefusedError, TransportLostError when the head-end does not answer (hand the batch in again: it counts once),
    RemoteError for an answer that is none.
    """
    request = urllib.request.Request(url.rstrip("/") + BATCHES_PATH, batch, {"Content-Type": OCTETS}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            answer: bytes = response.read(MOST_OCTETS + 1)
            form, missing = response.headers.get_content_type(), response.length
    except urllib.error.HTTPError as error:
        raise BatchRefusedError(f"the head-end answers {error.code}: {_detail(error)}") from None
    except (urllib.error.URLError, HTTPException, OSError) as error:
        raise TransportLostError(f"{url}: {getattr(error, 'reason', None) or error}; hand it in again") from None
    if missing and len(answer) <= MOST_OCTETS:
        raise TransportLostError(f"{url}: the answer broke off; hand it in again")
    if form != OCTETS or not 0 < len(answer) <= MOST_OCTETS:
        raise RemoteError(f"{url} answers with {form}, not with what a head-end seals; is it one?")
    return answer


def _detail(error: urllib.error.HTTPError) -> str:
    """The words of a problem detail, or the status in words."""
    try:
        return str(json.loads(error.read(MOST_OCTETS))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)
