"""One APDU of each type this project speaks: what tests that look at all of them begin with."""

from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.access import AccessAction, AccessRequest, AccessResponse, AccessResult, AccessService
from dlms_objects.wire.acse import (
    Aare,
    Aarq,
    ApplicationContext,
    AssociationResult,
    ReleaseReason,
    Rlre,
    Rlrq,
    UserDiagnostic,
)
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
)
from dlms_objects.wire.action_blocks import (
    ActionRequestNextPblock,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithPblock,
)
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.ciphered import GeneralDedCiphering, GeneralGloCiphering
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.exception import (
    ConfirmedServiceError,
    ExceptionResponse,
    ServiceError,
    ServiceErrorClass,
    StateError,
)
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    GetResponseNormal,
    GetResponseWithList,
)
from dlms_objects.wire.initiate import InitiateRequest, InitiateResponse
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList, SetResponseNormal, SetResponseWithList
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)

CLOCK = AttributeDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 2)
CLOCK_WITHOUT_SELECTION = AttributeWithSelection(attribute=CLOCK)
TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)
ONE_OF_EACH: list[Apdu] = [
    GetRequestNormal(attribute=CLOCK),
    GetRequestNext(block_number=1),
    GetResponseNormal(result=b"\x16\x00"),
    GetResponseBlock(last=True, block_number=1, result=b"\x16\x00"),
    SetRequestNormal(attribute=CLOCK, value=b"\x16\x00"),
    SetResponseNormal(result=DataAccessResult.SUCCESS),
    ActionRequestNormal(method=TOP_UP, parameters=b"\x16\x00"),
    ActionResponseNormal(result=ActionResult.SUCCESS, value=b"\x16\x00"),
    ExceptionResponse(state_error=StateError.SERVICE_UNKNOWN, service_error=ServiceError.OTHER_REASON),
    ConfirmedServiceError(service=1, error_class=ServiceErrorClass.INITIATE, error=1),
    InitiateRequest(conformance=Conformance.GET, max_pdu_size=1024),
    InitiateResponse(conformance=Conformance.GET, max_pdu_size=1024),
    GetRequestWithList(attributes=(CLOCK_WITHOUT_SELECTION,)),
    GetResponseWithList(results=(b"\x16\x00", DataAccessResult.OTHER_REASON)),
    SetRequestWithFirstDatablock(attribute=CLOCK, last=False, block_number=1, raw=b"\x16"),
    SetRequestWithDatablock(last=True, block_number=2, raw=b"\x00"),
    SetRequestWithList(attributes=(CLOCK_WITHOUT_SELECTION,), values=(b"\x16\x00",)),
    SetRequestWithListAndFirstDatablock(
        attributes=(CLOCK_WITHOUT_SELECTION,), last=False, block_number=1, raw=b"\x01\x16"
    ),
    SetResponseDatablock(block_number=1),
    SetResponseLastDatablock(result=DataAccessResult.SUCCESS, block_number=2),
    SetResponseLastDatablockWithList(results=(DataAccessResult.SUCCESS,), block_number=2),
    SetResponseWithList(results=(DataAccessResult.SUCCESS,)),
    ActionRequestNextPblock(block_number=1),
    ActionRequestWithList(methods=(TOP_UP,), parameters=(b"\x16\x00",)),
    ActionRequestWithFirstPblock(method=TOP_UP, last=False, block_number=1, raw=b"\x16"),
    ActionRequestWithListAndFirstPblock(methods=(TOP_UP,), last=False, block_number=1, raw=b"\x01\x16"),
    ActionRequestWithPblock(last=True, block_number=2, raw=b"\x00"),
    ActionResponseWithPblock(last=True, block_number=1, raw=b"\x00\x00"),
    ActionResponseWithList(responses=(ActionResponseWithOptionalData(result=ActionResult.SUCCESS),)),
    ActionResponseNextPblock(block_number=1),
    AccessRequest(specifications=(AccessAction(method=TOP_UP),), values=(b"\x16\x00",)),
    AccessResponse(
        values=(b"\x16\x00",),
        results=(AccessResult(service=AccessService.ACTION, result=ActionResult.SUCCESS),),
    ),
    DataNotification(body=b"\x16\x00", date_time=bytes(12)),
    EventNotificationRequest(attribute=CLOCK, value=b"\x16\x00"),
    GeneralBlockTransfer(last=True, block_number=1, block=b"\x0f"),
    GeneralGloCiphering(system_title=b"MPR00001", content=bytes(17)),
    GeneralDedCiphering(system_title=b"", content=bytes(17)),
    Aarq(application_context=ApplicationContext.LN),
    Aare(application_context=ApplicationContext.LN, result=AssociationResult.ACCEPTED, diagnostic=UserDiagnostic.NULL),
    Rlrq(reason=ReleaseReason.NORMAL),
    Rlre(),
]
