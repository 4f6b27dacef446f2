"""The server's judgement of an AARQ: who is let in, under which role, and what the AARE says.

Here: every check between an AARQ and an association; the role decides, never the peer. Not here: the proof of HLS
(`server`). Imported by `server`.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.acse import Aare, Aarq, ApplicationContext, AssociationResult, Mechanism, UserDiagnostic
from dlms_objects.wire.challenge import draw_challenge
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING, GLO_TAGS
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import RefusalCause
from dlms_objects.wire.exception import ConfirmedServiceError, ServiceErrorClass
from dlms_objects.wire.handshake import Handshake
from dlms_objects.wire.initiate import (
    DLMS_VERSION,
    INITIATE_REQUEST,
    InitiateRequest,
    InitiateResponse,
    decode_initiate_request,
)
from dlms_objects.wire.parameters import (
    HLS_MECHANISMS,
    LARGEST_PDU_OCTETS,
    SMALLEST_PDU_OCTETS,
    RoleParameters,
    ServerParameters,
    context_of,
)
from dlms_objects.wire.security import BoundContext, DecryptionError, SecurityContext

_INITIATE_SERVICE: Final = 1
_VERSION_TOO_LOW, _INCOMPATIBLE_CONFORMANCE, _PDU_SIZE_TOO_SHORT, _REFUSED_BY_VDE_HANDLER = 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A client that may come in; with a `handshake` (high-level security) it still has to prove itself."""

    client_sap: int
    role: RoleParameters
    client_title: SystemTitle | None
    context: BoundContext | None
    conformance: Conformance
    client_pdu_octets: int
    handshake: Handshake | None
    aare: Aare

    @property
    def cipher(self) -> BoundContext | None:
        """The context that opens and protects services, or None when they are plain."""
        return self.context if self.role.policy.is_ciphered else None


class Refusal(RemoteError):
    """A client that may not come in: why, for us and for the AARE."""

    def __init__(
        self,
        cause: RefusalCause,
        diagnostic: UserDiagnostic,
        *,
        failure: DecryptionError | None = None,
        initiate_error: int | None = None,
    ) -> None:
        """`failure` is there when a ciphered APDU was refused; `initiate_error` becomes a confirmed-service-error."""
        super().__init__(f"association refused: {cause.name.lower().replace('_', ' ')}")
        self.cause = cause
        self.diagnostic = diagnostic
        self.failure = failure
        self.initiate_error = initiate_error

    def aare(self, aarq: Aarq) -> Aare:
        """The answer that says no."""
        error, context = self.initiate_error, aarq.application_context
        return Aare(
            application_context=context if isinstance(context, ApplicationContext) else ApplicationContext.LN,
            result=AssociationResult.REJECTED_PERMANENT,
            diagnostic=self.diagnostic,
            user_information=None
            if error is None
            else ConfirmedServiceError(
                service=_INITIATE_SERVICE, error_class=ServiceErrorClass.INITIATE, error=error
            ).encode(),
        )


def admit(aarq: Aarq, parameters: ServerParameters, client_sap: int, server_sap: int) -> Admission:
    """The admission of a client, or Refusal. The counter of a genuine AARQ is stored whatever the judgement is."""
    role = _role(aarq, parameters, client_sap, server_sap)
    title = _client_title(aarq, parameters, role)
    context = _context(parameters, role, client_sap, title)
    request = _initiate_request(aarq, role, context)
    peer = client_sap if title is None else title
    _check_secret(aarq, parameters, role, peer)
    handshake = _handshake(aarq, parameters, role, context, title)
    conformance = request.conformance & role.conformance
    _check_proposal(request, conformance)
    if request.dedicated_key is not None:
        _take_dedicated(request.dedicated_key, parameters, role, context)
    response = InitiateResponse(conformance=conformance, max_pdu_size=parameters.max_pdu).encode()
    if context is not None and role.policy.is_ciphered:
        response = context.protect(GLO_TAGS[response[0]], response)
    return Admission(
        client_sap=client_sap,
        role=role,
        client_title=title,
        context=context,
        conformance=conformance,
        client_pdu_octets=request.max_pdu_size or LARGEST_PDU_OCTETS,
        handshake=handshake,
        aare=_aare(parameters, role, handshake, response),
    )


def _role(aarq: Aarq, parameters: ServerParameters, client_sap: int, server_sap: int) -> RoleParameters:
    """The role of the SAP, if the AARQ asks for exactly the role's context and mechanism."""
    if server_sap != parameters.server_sap:
        raise Refusal(RefusalCause.UNKNOWN_SERVER_SAP, UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED)
    role = parameters.roles.get(client_sap)
    if role is None:
        raise Refusal(RefusalCause.UNKNOWN_CLIENT_SAP, UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED)
    if aarq.application_context is not context_of(role.policy):
        raise Refusal(RefusalCause.APPLICATION_CONTEXT, UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
    mechanism = Mechanism.NONE if aarq.mechanism is None else aarq.mechanism
    if mechanism is Mechanism.NONE and role.mechanism is not Mechanism.NONE:
        raise Refusal(RefusalCause.MECHANISM, UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED)
    if mechanism is not role.mechanism:
        raise Refusal(RefusalCause.MECHANISM, UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
    return role


def _client_title(aarq: Aarq, parameters: ServerParameters, role: RoleParameters) -> SystemTitle | None:
    """The client's system title, where the role needs one: never missing, a stranger's, or our own."""
    if not role.needs_title:
        return None
    octets = aarq.calling_ap_title
    title = SystemTitle(octets) if octets is not None and len(octets) == 8 else None
    if title is None or (role.client_titles is not None and title not in role.client_titles):
        raise Refusal(RefusalCause.SYSTEM_TITLE, UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED)
    if title == parameters.system_title:
        raise Refusal(RefusalCause.SYSTEM_TITLE, UserDiagnostic.AUTHENTICATION_FAILURE)
    return title


def _context(
    parameters: ServerParameters, role: RoleParameters, client_sap: int, title: SystemTitle | None
) -> BoundContext | None:
    """The security context with the client, where the role has keys."""
    if role.keys is None or title is None:
        return None
    return SecurityContext(
        keys=role.keys,
        own_title=parameters.system_title,
        counters=parameters.counters(client_sap),
        policy=role.policy,
        is_server=True,
    ).bound_to(title)


def _initiate_request(aarq: Aarq, role: RoleParameters, context: BoundContext | None) -> InitiateRequest:
    """What the client proposes, opened as the role's policy wants it."""
    octets = aarq.user_information or b""
    try:
        if context is not None and role.policy.is_ciphered:
            if octets[:1] not in _GLOBALLY_CIPHERED and not context.accepts_plain:
                raise Refusal(RefusalCause.UNPROTECTED, UserDiagnostic.AUTHENTICATION_FAILURE)
            octets = context.unprotect(octets)
        if octets[:1] != bytes((INITIATE_REQUEST,)):
            raise Refusal(RefusalCause.INITIATE, UserDiagnostic.NO_REASON_GIVEN)
        return decode_initiate_request(octets)
    except DecryptionError as error:
        raise Refusal(RefusalCause.SECURITY, UserDiagnostic.AUTHENTICATION_FAILURE, failure=error) from None
    except MalformedError:
        raise Refusal(RefusalCause.INITIATE, UserDiagnostic.NO_REASON_GIVEN) from None


# An initiate request is ciphered with the global key: it may itself bring the dedicated one.
_GLOBALLY_CIPHERED: Final = frozenset(bytes((tag,)) for tag in (*GLO_TAGS.values(), GENERAL_GLO_CIPHERING))


def _check_secret(aarq: Aarq, parameters: ServerParameters, role: RoleParameters, peer: SystemTitle | int) -> None:
    """The password of LLS; the length and freshness of the client's HLS challenge."""
    value = aarq.calling_authentication_value or b""
    if role.mechanism is Mechanism.LLS and not compare_digest(value, role.password or b""):
        raise Refusal(RefusalCause.PASSWORD, UserDiagnostic.AUTHENTICATION_FAILURE)
    if role.mechanism in HLS_MECHANISMS and not parameters.recent_challenges.is_fresh(peer, value):
        raise Refusal(RefusalCause.CHALLENGE, UserDiagnostic.AUTHENTICATION_FAILURE)


def _handshake(
    aarq: Aarq,
    parameters: ServerParameters,
    role: RoleParameters,
    context: BoundContext | None,
    title: SystemTitle | None,
) -> Handshake | None:
    """The exchange of proofs that follows where the role wants HLS; our challenge is never the client's own."""
    if role.mechanism not in HLS_MECHANISMS:
        return None
    client_challenge = aarq.calling_authentication_value or b""
    challenge = draw_challenge(parameters.challenge_source)
    if challenge == client_challenge:
        raise Refusal(RefusalCause.CHALLENGE, UserDiagnostic.AUTHENTICATION_FAILURE)
    return Handshake(
        mechanism=role.mechanism,
        client_challenge=client_challenge,
        server_challenge=challenge,
        context=context if role.mechanism is Mechanism.HLS_GMAC else None,
        secret=role.hls_secret or b"",
        client_title=title,
        server_title=parameters.system_title,
    )


def _take_dedicated(
    dedicated_key: bytes, parameters: ServerParameters, role: RoleParameters, context: BoundContext | None
) -> None:
    """Use the client's dedicated key where the role allows one; a key of the wrong kind or a recent one is refused."""
    try:
        if context is None or not role.allows_dedicated_key:
            raise InvalidValueError("no dedicated key is allowed")
        if not parameters.recent_challenges.is_fresh(("dedicated key", context.peer), sha256(dedicated_key).digest()):
            raise InvalidValueError("a dedicated key came twice")
        context.use_dedicated(dedicated_key)
    except InvalidValueError:
        raise _refused_proposal(_REFUSED_BY_VDE_HANDLER) from None


def _check_proposal(request: InitiateRequest, conformance: Conformance) -> None:
    """What we can serve: version 6, an answer wanted, room for an answer, a common service."""
    error = None
    if request.dlms_version != DLMS_VERSION:
        error = _VERSION_TOO_LOW
    elif not conformance:
        error = _INCOMPATIBLE_CONFORMANCE
    elif 0 < request.max_pdu_size < SMALLEST_PDU_OCTETS:
        error = _PDU_SIZE_TOO_SHORT
    elif not request.response_allowed:
        error = _REFUSED_BY_VDE_HANDLER
    if error is not None:
        raise _refused_proposal(error)


def _refused_proposal(error: int) -> Refusal:
    return Refusal(RefusalCause.INITIATE, UserDiagnostic.NO_REASON_GIVEN, initiate_error=error)


def _aare(parameters: ServerParameters, role: RoleParameters, handshake: Handshake | None, response: bytes) -> Aare:
    return Aare(
        application_context=context_of(role.policy),
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.NULL if handshake is None else UserDiagnostic.AUTHENTICATION_REQUIRED,
        responding_ap_title=parameters.system_title.octets if role.needs_title else None,
        responder_acse_requirements=handshake is not None,
        mechanism=None if handshake is None else handshake.mechanism,
        responding_authentication_value=None if handshake is None else handshake.server_challenge,
        user_information=response,
    )
