"""What a courier does at a meter: read the sealed batch, hand over a sealed instruction. It has no keys.

The public association, nothing ciphered: what is carried is sealed end to end. Imported by the command.
"""

from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from dlms_objects.classes.catalogue import ASSOCIATIONS, Role
from dlms_objects.classes.courier_class import COURIER, COURIER_NAME
from dlms_objects.errors import RefusedError
from dlms_objects.transport.client import AccessRefusedByMeterError, MeterSession, open_session
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.values.results import ActionResult
from dlms_objects.wire.parameters import ClientParameters

_PUBLIC = next(association for association in ASSOCIATIONS if association.role is Role.PUBLIC)


class InstructionRefusedError(RefusedError):
    """The meter did not open what was delivered; it never says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierStop:
    """Where a courier calls: an endpoint such as `tcp:127.0.0.1:4059`, and the SAP of the meter behind it."""

    endpoint: str
    server_sap: int
    timeout_s: float

    async def fetch(self, reactor: IReactorTime) -> bytes:
        """The sealed batch; RefusedError, RemoteError or TransportLostError."""
        session = await self._open(reactor)
        try:
            batch = await RemoteObject(session, COURIER, COURIER_NAME).get("batch")
        except BaseException:
            session.abort()
            raise
        await session.release()
        return bytes.fromhex(batch)

    async def deliver(self, reactor: IReactorTime, instruction: bytes) -> bytes:
        """The sealed answer; InstructionRefusedError, or as `fetch`. When the line is lost, it may have been taken."""
        session = await self._open(reactor)
        try:
            answer = await RemoteObject(session, COURIER, COURIER_NAME).call("deliver", instruction.hex())
        except AccessRefusedByMeterError as error:
            session.abort()
            if error.result is not ActionResult.OTHER_REASON:
                raise
            raise InstructionRefusedError(
                "the meter refuses the instruction: it is for another meter, was delivered before, or was altered on"
                " its way; ask the head-end for a new one"
            ) from None
        except BaseException:
            session.abort()
            raise
        await session.release()
        return bytes.fromhex(answer)

    async def _open(self, reactor: IReactorTime) -> MeterSession:
        parameters = ClientParameters(
            client_sap=_PUBLIC.client_sap, server_sap=self.server_sap, answer_timeout_s=self.timeout_s
        )
        return await open_session(reactor, self.endpoint, parameters)
