"""Malformed octets are the peer's fault, never ours."""

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.wire.errors import MalformedError


def test_malformed_octets_belong_to_the_remote_family_alone():
    assert issubclass(MalformedError, RemoteError)
    assert not issubclass(MalformedError, LocalError)
