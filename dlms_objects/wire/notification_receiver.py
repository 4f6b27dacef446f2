"""A listener for what meters push without an association: octets go in, notifications come out, sans-I/O.

Here: framing, general block transfer, opening of general-glo-ciphered notifications with the keys and counters of the
system that sent them. Not here: sockets, who may connect, what the values mean. One receiver per connection, or per
datagram. Imported by the transports.

Octets that are no wrapper frames raise RemoteError and close the receiver. A frame that is not to be believed is an
event, changes nothing, and the next frame is read: one bad system must not silence another behind the same line.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING, decode_general_glo_ciphering
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.general_block import GENERAL_BLOCK_TRANSFER, decode_general_block_transfer
from dlms_objects.wire.general_transfer import GeneralTransfer
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.security import CIPHERED_TAGS, DecryptionError, ReplayError, SecurityContext
from dlms_objects.wire.wrapper import Frame, Wrapper

_NO_ACKNOWLEDGEMENT_OCTETS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverParameters:
    """Who is believed, and the limits.

    `contexts` gives our context with a system that may send (keys, its counters, policy), None for a stranger.
    `accepts_plain`: whether what is not ciphered is handed out too; nobody vouches for it. `maximum_octets` is the
    longest notification, `rest_timeout_s` how long the rest of a frame or of a block transfer may take.
    """

    contexts: Callable[[SystemTitle], SecurityContext | None] = field(repr=False)
    accepts_plain: bool = False
    maximum_octets: int = 65535
    rest_timeout_s: float = 30.0


class NotificationRefusal(Enum):
    """Why a frame was not believed; for our own log, nobody is answered."""

    UNKNOWN_SYSTEM = auto()
    UNPROTECTED = auto()
    DECRYPTION = auto()
    REPLAY = auto()
    NOT_A_NOTIFICATION = auto()
    MALFORMED = auto()


@dataclass(frozen=True, slots=True)
class NotificationReceived:
    """What a system sent; `system_title` is there exactly when it was ciphered and its tag verified."""

    source: int
    destination: int
    system_title: SystemTitle | None
    notification: DataNotification | EventNotificationRequest


@dataclass(frozen=True, slots=True)
class NotificationRefused:
    """A frame was passed over; `system_title` is what it claims."""

    source: int
    destination: int
    system_title: SystemTitle | None
    cause: NotificationRefusal


ReceiverEvent = NotificationReceived | NotificationRefused


class _RefusedError(RemoteError):
    """A frame is not believed."""

    def __init__(self, cause: NotificationRefusal) -> None:
        super().__init__(f"a notification was refused: {cause.name.lower().replace('_', ' ')}")
        self.cause = cause


class NotificationReceiver:
    """`receive_data`, then `next_event` until None."""

    def __init__(self, parameters: ReceiverParameters) -> None:
        """Nothing has come yet."""
        self._parameters = parameters
        self._wrapper = Wrapper(maximum_apdu_length=parameters.maximum_octets)
        self._events: deque[ReceiverEvent] = deque()
        self._general: GeneralTransfer | None = None
        self._claimed: SystemTitle | None = None
        self._deadline: datetime | None = None
        self._is_closed = False

    def receive_data(self, octets: bytes, now: datetime) -> None:
        """Take octets as they came. RemoteError, and the receiver is closed, when they are no frames."""
        if self._is_closed:
            raise RemoteError("octets came after the receiver was closed")
        try:
            for frame in self._wrapper.receive(octets):
                self._take(frame)
        except MalformedError:
            self._is_closed, self._deadline = True, None
            raise
        is_waiting = self._wrapper.has_partial_frame or self._general is not None
        self._deadline = now + timedelta(seconds=self._parameters.rest_timeout_s) if is_waiting else None

    def next_event(self) -> ReceiverEvent | None:
        """The next event, or None when more octets are needed first."""
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> datetime | None:
        """When to call `handle_timeout`; None while nothing is half received."""
        return self._deadline

    def handle_timeout(self, now: datetime) -> None:
        """TransportLostError, and the receiver is closed, when a rest is overdue; otherwise nothing happens."""
        if self._deadline is not None and now >= self._deadline:
            self._is_closed, self._deadline = True, None
            raise TransportLostError(f"no rest of a notification within {self._parameters.rest_timeout_s} s")

    def _take(self, frame: Frame) -> None:
        self._claimed = None
        try:
            apdu: bytes | None = frame.apdu
            if frame.apdu[:1] == bytes((GENERAL_BLOCK_TRANSFER,)):
                apdu = self._join(frame.apdu)
            if apdu is not None:
                self._events.append(self._opened(frame, apdu))
        except _RefusedError as refused:
            self._refuse(frame, refused.cause)
        except ReplayError:
            self._refuse(frame, NotificationRefusal.REPLAY)
        except DecryptionError:
            self._refuse(frame, NotificationRefusal.DECRYPTION)
        except RemoteError:
            self._refuse(frame, NotificationRefusal.MALFORMED)

    def _refuse(self, frame: Frame, cause: NotificationRefusal) -> None:
        self._general = None
        self._events.append(NotificationRefused(frame.source, frame.destination, self._claimed, cause))

    def _join(self, octets: bytes) -> bytes | None:
        """The APDU when this was its last block; RemoteError for a block that does not follow."""
        block = decode_general_block_transfer(octets)
        if self._general is None or block.block_number == 1:
            self._general = GeneralTransfer(
                pdu_octets=_NO_ACKNOWLEDGEMENT_OCTETS,
                window=1,
                limit_octets=self._parameters.maximum_octets,
                expects_response=True,
            )
        before = self._general.received
        apdu = self._general.receive(block)
        if self._general.received == before:
            raise RemoteError(f"block {block.block_number} came after block {before}")
        if apdu is not None:
            self._general = None
        return apdu

    def _opened(self, frame: Frame, apdu: bytes) -> NotificationReceived:
        """The notification inside, its tag verified and its counter stored where it is ciphered."""
        tag = apdu[0] if apdu else 0
        if tag == GENERAL_GLO_CIPHERING:
            apdu = self._unprotect(apdu)
        elif tag in CIPHERED_TAGS:
            raise _RefusedError(NotificationRefusal.UNKNOWN_SYSTEM)
        elif not self._parameters.accepts_plain:
            raise _RefusedError(NotificationRefusal.UNPROTECTED)
        notification = decode_apdu(apdu)
        if not isinstance(notification, DataNotification | EventNotificationRequest):
            raise _RefusedError(NotificationRefusal.NOT_A_NOTIFICATION)
        return NotificationReceived(frame.source, frame.destination, self._claimed, notification)

    def _unprotect(self, apdu: bytes) -> bytes:
        octets = decode_general_glo_ciphering(apdu).system_title
        self._claimed = SystemTitle(octets) if octets else None
        context = None if self._claimed is None else self._parameters.contexts(self._claimed)
        if self._claimed is None or context is None:
            raise _RefusedError(NotificationRefusal.UNKNOWN_SYSTEM)
        return context.bound_to(self._claimed).unprotect(apdu)
