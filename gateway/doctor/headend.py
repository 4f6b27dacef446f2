"""The way to the head-end: name, port and certificate, then whether it takes this gateway's token.

Imported by `examination.py`.
"""

import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.threads import deferToThreadPool

from dlms_objects.errors import RefusedError, RemoteError, TransportLostError
from gateway.config import HeadendSection
from gateway.doctor.findings import Findings, Step
from gateway.exchange import RECORDS_PATH
from gateway.headend_client import HeadendClient, HeadendUnavailableError
from gateway.service import read_token

HEADEND_STEPS = (Step.HEADEND, Step.TOKEN)

NO_RECORDS = b'{"batches": []}'
"""An upload of nothing: the head-end looks at the token, and nothing changes."""

UNAUTHORIZED, FORBIDDEN = 401, 403
_CERTIFICATE_EXPIRED, _NOT_YET_VALID, _NAME_MISMATCH = 10, 9, 62


async def examine_headend(reactor: Any, section: HeadendSection) -> Findings:
    """The steps of the head-end."""
    found = Findings("head-end")
    if await _reach(reactor, section, found):
        await _try_token(reactor, section, found)
    found.skip_rest(HEADEND_STEPS)
    return found


async def _reach(reactor: Any, section: HeadendSection, found: Findings) -> bool:
    parts = urlsplit(section.url)
    host = parts.hostname or ""
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)

    def connect() -> str:
        with socket.create_connection((host, port), timeout=section.timeout_s) as plain:
            if not is_tls:
                return f"{host}:{port} opens"
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure:
                return f"{host}:{port} opens, {secure.version()}, certificate trusted"

    try:
        measured = await deferToThreadPool(reactor, reactor.getThreadPool(), connect)
    except (OSError, ValueError) as error:
        cause, remedy = _why_unreachable(error, host, port)
        found.failed(Step.HEADEND, f"{section.url}: {error}", cause, remedy)
        return False
    found.ok(Step.HEADEND, measured)
    return True


def _why_unreachable(error: Exception, host: str, port: int) -> tuple[str, str]:
    """The likely cause, and what to do."""
    if isinstance(error, socket.gaierror):
        return f"the name {host} is misspelt or not known to this machine's name server", "Correct headend.url."
    if isinstance(error, ssl.SSLCertVerificationError):
        return _why_untrusted(error, host)
    if isinstance(error, ssl.SSLError):
        return "the server does not speak TLS on this port", "Correct headend.url: http:// or another port."
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on port {port} of {host}: the head-end is down", "Start it, or correct headend.url."
    return "nothing answers at this address: no network, or a firewall", "Check the network and headend.url."


def _why_untrusted(error: ssl.SSLCertVerificationError, host: str) -> tuple[str, str]:
    match error.verify_code:
        case code if code == _CERTIFICATE_EXPIRED:
            return "the head-end's certificate has expired", "Renew the certificate at the head-end."
        case code if code == _NOT_YET_VALID:
            return "the head-end's certificate is not valid yet: this machine's clock is wrong", "Set the clock (NTP)."
        case code if code == _NAME_MISMATCH:
            return f"the head-end's certificate is for another name than {host}", "Correct headend.url."
    return (
        f"the head-end's certificate is not trusted by this machine ({error.verify_message})",
        "Install the issuer's certificate (update-ca-certificates), or use a certificate of a public issuer.",
    )


async def _try_token(reactor: Any, section: HeadendSection, found: Findings) -> None:
    client = HeadendClient(reactor, section.url, read_token(section.token_file), timeout_s=section.timeout_s)
    try:
        await client.request("POST", RECORDS_PATH, NO_RECORDS)
    except HeadendUnavailableError as error:
        if error.status in (UNAUTHORIZED, FORBIDDEN):
            found.failed(
                Step.TOKEN,
                f"{error.status}",
                "the head-end does not know this token, or it is not one of a gateway",
                "Put the gateway token of `meterpurse headend init` into headend.token_file.",
            )
        else:
            found.failed(
                Step.TOKEN,
                str(error),
                "what answers at this address is not a head-end that is well",
                "Check headend.url, and the head-end's log.",
            )
    except (RefusedError, RemoteError, TransportLostError) as error:
        found.failed(
            Step.TOKEN, str(error), "what answers at this address is not a head-end of this version", "Update it."
        )
    else:
        found.ok(Step.TOKEN, "the head-end takes uploads of this gateway")
    finally:
        await client.close()
