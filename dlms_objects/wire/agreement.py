"""The client's half of opening an association: the AARQ it sends, and its judgement of the AARE.

Here: every check between an accepting AARE and an association; we decide, never the server. Not here: the proofs of
HLS (`client`, which imports this).
"""

from dataclasses import dataclass

from dlms_objects.errors import InvalidValueError, LocalError, RemoteError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.acse import Aare, Aarq, Mechanism, ProviderDiagnostic, UserDiagnostic
from dlms_objects.wire.challenge import draw_challenge
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING, GLO_TAGS
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.handshake import Handshake
from dlms_objects.wire.initiate import (
    DLMS_VERSION,
    INITIATE_RESPONSE,
    VAA_NAME_LN,
    InitiateRequest,
    InitiateResponse,
    decode_initiate_response,
)
from dlms_objects.wire.parameters import (
    HLS_MECHANISMS,
    LARGEST_PDU_OCTETS,
    SMALLEST_PDU_OCTETS,
    ClientParameters,
    context_of,
)
from dlms_objects.wire.security import BoundContext, DecryptionError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Proposal:
    """What one AARQ says that no other does: our challenge (empty without HLS), and a dedicated key if we want one."""

    challenge: bytes = b""
    dedicated_key: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What an accepting AARE agreed to; with a `handshake` (HLS) both sides still prove themselves."""

    context: BoundContext | None
    cipher: BoundContext | None
    conformance: Conformance
    server_pdu_octets: int
    server_title: SystemTitle | None
    handshake: Handshake | None


def draw_proposal(parameters: ClientParameters) -> Proposal:
    """A fresh challenge and a fresh dedicated key, as far as the parameters want them.

    LocalError when a source does not give what it should; nothing was sent then.
    """
    challenge, dedicated_key, security = b"", None, parameters.security
    if parameters.challenge_source is not None and parameters.mechanism in HLS_MECHANISMS:
        challenge = draw_challenge(parameters.challenge_source)
    if parameters.dedicated_key_source is not None and security is not None:
        dedicated_key = parameters.dedicated_key_source()
        try:
            security.keys.for_dedicated(dedicated_key)
        except InvalidValueError:
            raise LocalError("the source of dedicated keys gave none that the suite can use") from None
    return Proposal(challenge=challenge, dedicated_key=dedicated_key)


def propose(parameters: ClientParameters, proposal: Proposal) -> bytes:
    """The AARQ."""
    mechanism, title = parameters.mechanism, parameters.own_title
    authenticates = mechanism is not Mechanism.NONE
    return Aarq(
        application_context=context_of(parameters.policy),
        calling_ap_title=None if title is None else title.octets,
        sender_acse_requirements=authenticates,
        mechanism=mechanism if authenticates else None,
        calling_authentication_value=(proposal.challenge or parameters.password) if authenticates else None,
        user_information=_initiate_request(parameters, proposal),
    ).encode()


def _initiate_request(parameters: ClientParameters, proposal: Proposal) -> bytes:
    """What we propose, ciphered with the global key as the policy wants it."""
    octets = InitiateRequest(
        conformance=parameters.conformance,
        max_pdu_size=parameters.max_pdu,
        dedicated_key=proposal.dedicated_key,
    ).encode()
    security = parameters.security
    if security is None or not parameters.policy.is_ciphered:
        return octets
    return security.protect(GLO_TAGS[octets[0]], octets)


def agree(aare: Aare, parameters: ClientParameters, proposal: Proposal) -> Agreement:
    """What an accepting AARE agreed to; RemoteError when it is weaker than, or other than, what we asked for."""
    if aare.application_context is not context_of(parameters.policy):
        raise RemoteError("the AARE names another application context")
    with_hls = parameters.mechanism in HLS_MECHANISMS
    wanted = (UserDiagnostic.AUTHENTICATION_REQUIRED,) if with_hls else _NO_DIAGNOSTIC
    if aare.diagnostic not in wanted:
        raise RemoteError(f"the AARE accepts with the diagnostic {aare.diagnostic.name.lower()}")
    title = _server_title(aare, parameters)
    context = None if parameters.security is None or title is None else parameters.security.bound_to(title)
    cipher = context if parameters.policy.is_ciphered else None
    response = _initiate_response(aare, cipher)
    if context is not None and proposal.dedicated_key is not None:
        context.use_dedicated(proposal.dedicated_key)
    return Agreement(
        context=context,
        cipher=cipher,
        conformance=response.conformance & parameters.conformance,
        server_pdu_octets=response.max_pdu_size or LARGEST_PDU_OCTETS,
        server_title=title,
        handshake=_handshake(aare, parameters, proposal, context, title) if with_hls else None,
    )


_NO_DIAGNOSTIC = (UserDiagnostic.NULL, ProviderDiagnostic.NULL)


def _server_title(aare: Aare, parameters: ClientParameters) -> SystemTitle | None:
    """The server's system title, where it is needed; never missing, and never our own."""
    if not parameters.needs_title:
        return None
    octets = aare.responding_ap_title
    if octets is None or len(octets) != 8:
        raise RemoteError("the AARE names no system title")
    title = SystemTitle(octets)
    if title == parameters.own_title:
        raise RemoteError("the server names our own system title")
    return title


def _initiate_response(aare: Aare, cipher: BoundContext | None) -> InitiateResponse:
    octets = aare.user_information or b""
    if cipher is not None:
        if octets[:1] not in _GLOBALLY_CIPHERED and not cipher.accepts_plain:
            raise DecryptionError
        octets = cipher.unprotect(octets)
    if octets[:1] != bytes((INITIATE_RESPONSE,)):
        raise RemoteError("the AARE carries no initiate response")
    response = decode_initiate_response(octets)
    if (response.dlms_version, response.vaa_name) != (DLMS_VERSION, VAA_NAME_LN):
        raise RemoteError("the AARE agrees to another DLMS version or VAA name")
    if 0 < response.max_pdu_size < SMALLEST_PDU_OCTETS:
        raise RemoteError(f"the server takes only {response.max_pdu_size} octets at once")
    return response


# Dedicated keys are for what follows the AARE.
_GLOBALLY_CIPHERED = frozenset(bytes((tag,)) for tag in (*GLO_TAGS.values(), GENERAL_GLO_CIPHERING))


def _handshake(
    aare: Aare,
    parameters: ClientParameters,
    proposal: Proposal,
    context: BoundContext | None,
    title: SystemTitle | None,
) -> Handshake:
    """The exchange of proofs that follows: with the mechanism we asked for, over a challenge that is a fresh one.

    The server's challenge is not ours sent back, 8..64 octets long, and not a recent one.
    """
    challenge = aare.responding_authentication_value or b""
    if aare.mechanism is not parameters.mechanism:
        raise RemoteError("the AARE names another mechanism")
    if challenge == proposal.challenge:
        raise RemoteError("the server sent our own challenge back")
    peer = parameters.server_sap if title is None else title
    if not parameters.recent_challenges.is_fresh(peer, challenge):
        raise RemoteError("the server's challenge is too short, too long or a recent one")
    return Handshake(
        mechanism=parameters.mechanism,
        client_challenge=proposal.challenge,
        server_challenge=challenge,
        context=context if parameters.mechanism is Mechanism.HLS_GMAC else None,
        secret=parameters.hls_secret or b"",
        client_title=parameters.own_title,
        server_title=title,
    )
