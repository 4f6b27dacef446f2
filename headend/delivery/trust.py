"""Whose certificates are believed: the system's roots, or those of a file. Imported by `smtp` and `outbound`."""

from pathlib import Path
from typing import Any

from OpenSSL import crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from headend.delivery.sending import ChannelUnusableError

_END = b"-----END CERTIFICATE-----"


def tls_to(hostname: str, trust_file: Path | None) -> IOpenSSLClientConnectionCreator:
    """TLS to a peer whose certificate must be valid for `hostname`, under the roots in `trust_file` or the system's."""
    roots: Any = None
    if trust_file is not None:
        roots = trustRootFromCertificates(_certificates(trust_file))
    return optionsForClientTLS(hostname, trustRoot=roots)


def _certificates(path: Path) -> list[Certificate]:
    try:
        blocks = path.read_bytes().split(_END)[:-1]
        found = [Certificate.loadPEM(block + _END + b"\n") for block in blocks]
    except (OSError, crypto.Error) as error:
        raise ChannelUnusableError(f"{path} cannot be read as PEM certificates") from error
    if not found:
        raise ChannelUnusableError(f"{path} has no certificate in it")
    return found
