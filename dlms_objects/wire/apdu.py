"""Every APDU this project speaks, decoded by its first octet. Both association roles import it.

A further service is one more module of dataclasses and one more line in `_DECODERS`. Of ciphered APDUs only the
envelope is decoded (`ciphered`); `security` opens them.
"""

from collections.abc import Callable

from dlms_objects.wire.access import AccessRequest, AccessResponse, decode_access_request, decode_access_response
from dlms_objects.wire.acse import Aare, Aarq, Rlre, Rlrq, decode_aare, decode_aarq, decode_rlre, decode_rlrq
from dlms_objects.wire.action import ActionRequest, ActionResponse, decode_action_request, decode_action_response
from dlms_objects.wire.action_blocks import ACTION_REQUEST, ACTION_RESPONSE
from dlms_objects.wire.ciphered import (
    PLAIN_TAGS,
    GeneralDedCiphering,
    GeneralGloCiphering,
    ServiceCiphering,
    decode_general_ded_ciphering,
    decode_general_glo_ciphering,
    decode_service_ciphering,
)
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.exception import (
    ConfirmedServiceError,
    ExceptionResponse,
    decode_confirmed_service_error,
    decode_exception_response,
)
from dlms_objects.wire.general_block import GeneralBlockTransfer, decode_general_block_transfer
from dlms_objects.wire.get import (
    GET_REQUEST,
    GET_RESPONSE,
    GetRequest,
    GetResponse,
    decode_get_request,
    decode_get_response,
)
from dlms_objects.wire.initiate import (
    InitiateRequest,
    InitiateResponse,
    decode_initiate_request,
    decode_initiate_response,
)
from dlms_objects.wire.notification import (
    DataNotification,
    EventNotificationRequest,
    decode_data_notification,
    decode_event_notification,
)
from dlms_objects.wire.set import SetRequest, SetResponse, decode_set_request, decode_set_response
from dlms_objects.wire.set_blocks import SET_REQUEST, SET_RESPONSE

Apdu = (
    GetRequest
    | GetResponse
    | SetRequest
    | SetResponse
    | ActionRequest
    | ActionResponse
    | AccessRequest
    | AccessResponse
    | DataNotification
    | EventNotificationRequest
    | GeneralBlockTransfer
    | GeneralGloCiphering
    | GeneralDedCiphering
    | ServiceCiphering
    | ExceptionResponse
    | ConfirmedServiceError
    | InitiateRequest
    | InitiateResponse
    | Aarq
    | Aare
    | Rlrq
    | Rlre
)

_DECODERS: dict[int, Callable[[bytes], Apdu]] = {
    GET_REQUEST: decode_get_request,
    GET_RESPONSE: decode_get_response,
    SET_REQUEST: decode_set_request,
    SET_RESPONSE: decode_set_response,
    ACTION_REQUEST: decode_action_request,
    ACTION_RESPONSE: decode_action_response,
    AccessRequest.TAG: decode_access_request,
    AccessResponse.TAG: decode_access_response,
    DataNotification.TAG: decode_data_notification,
    EventNotificationRequest.TAG: decode_event_notification,
    GeneralBlockTransfer.TAG: decode_general_block_transfer,
    GeneralGloCiphering.TAG: decode_general_glo_ciphering,
    GeneralDedCiphering.TAG: decode_general_ded_ciphering,
    **dict.fromkeys(PLAIN_TAGS, decode_service_ciphering),
    ExceptionResponse.TAG: decode_exception_response,
    ConfirmedServiceError.TAG: decode_confirmed_service_error,
    InitiateRequest.TAG: decode_initiate_request,
    InitiateResponse.TAG: decode_initiate_response,
    Aarq.TAG: decode_aarq,
    Aare.TAG: decode_aare,
    Rlrq.TAG: decode_rlrq,
    Rlre.TAG: decode_rlre,
}


def decode_apdu(octets: bytes | bytearray | memoryview) -> Apdu:
    """The one APDU that the octets are, to the last of them; MalformedError otherwise.

    A single value inside a GET, SET, ACTION or notification stays raw and is judged by who decodes it (`axdr`,
    `row_plan`); values in lists are raw too, but have been found whole.
    """
    apdu = bytes(octets)
    decoder = _DECODERS.get(apdu[0]) if apdu else None
    if decoder is None:
        raise MalformedError(f"no APDU of this project begins with {apdu[:1].hex() or 'nothing'}")
    return decoder(apdu)
