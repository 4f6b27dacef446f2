"""The one error of every decoder of this package; security and associations add their own beside it."""

from dlms_objects.errors import RemoteError


class MalformedError(RemoteError):
    """The octets are not what they claim to be: cut short, too long, out of range or of an unknown kind."""
