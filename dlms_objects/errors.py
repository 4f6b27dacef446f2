"""The four families of errors every room raises; this module imports nothing.

* LocalError: we were misused (a wrong argument, a request in the wrong state).
* RemoteError: the peer broke the protocol, or its bytes cannot be trusted.
* RefusedError: the peer answered a legal "no".
* TransportLostError: the line went away or a deadline passed.
"""


class MeterPurseError(Exception):
    """Any error this project raises on purpose."""


class LocalError(MeterPurseError):
    """We were misused: a wrong argument, a request in the wrong state, a value that does not fit."""


class InvalidValueError(LocalError, ValueError):
    """A value is outside what its type or rule can hold; nothing was changed."""


class RemoteError(MeterPurseError):
    """The peer broke the protocol, or its bytes cannot be trusted."""


class RefusedError(MeterPurseError):
    """The peer answered a legal "no" (a data-access-result, an action-result, a refused association)."""


class TransportLostError(MeterPurseError):
    """The line was lost, or a deadline passed without an answer."""
