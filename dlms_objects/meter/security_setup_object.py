"""A security setup (class 64): what its association's policy demands, and how its keys are replaced.

Suite 0. The policy is already the strongest its association can have, so security_activate may only confirm it; the
standard lets it never be weakened. Imported by `meter`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from dlms_objects.classes.catalogue import AssociationDeclaration
from dlms_objects.meter.cosem_object import ActionRefusedError, ReadOnlyObject, Requester, constant
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.key_wrap import KeyUnwrapError
from dlms_objects.wire.policy import SecurityPolicy

SECURITY_ACTIVATE, KEY_TRANSFER = 1, 2

Transfer = Callable[[int, Iterable[tuple[int, bytes]], datetime], None]


class SecuritySetupObject(ReadOnlyObject):
    """The security setup of one association."""

    def __init__(self, declared: AssociationDeclaration, own_title: SystemTitle, transfer: Transfer) -> None:
        """`transfer` replaces keys of a client SAP: (key id, wrapped key) each, at that time."""
        self._declared = declared
        self._transfer = transfer
        policy = SecurityPolicy.AUTHENTICATED_ENCRYPTED if declared.is_ciphered else SecurityPolicy.NONE
        self._policy = policy.version_1
        super().__init__(
            {
                2: constant(cosem.enum(self._policy)),
                3: constant(cosem.enum(0)),
                4: self._client_title,
                5: constant(cosem.octet_string(own_title.octets)),
                6: constant(cosem.array(())),
            }
        )

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """security_activate or key_transfer; a wrapped key that is none is refused like every other mistake."""
        if method == SECURITY_ACTIVATE:
            if parameter.value != self._policy:
                raise ActionRefusedError(ActionResult.OTHER_REASON)
            return None
        transfers = [(element.value[0].value, element.value[1].value) for element in parameter.value]
        try:
            self._transfer(self._declared.client_sap, transfers, requester.now)
        except KeyUnwrapError:
            raise ActionRefusedError(ActionResult.OTHER_REASON) from None
        return None

    def _client_title(self, requester: Requester) -> Data:
        title = requester.client_title if requester.association == self._declared else None
        return cosem.octet_string(title.octets if title else b"")
