"""Commands, events and answers of the services on several attributes or methods at once: with-list forms and ACCESS.

Only plain values live here. Raw octets are one A-XDR value each, never decoded by an engine; null-data (00) stands for
"no parameters" and for the value of a read. Every list of a result has the order and the length of its request.
Imported by `events`, by the engines and by the transports.
"""

from dataclasses import dataclass

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.access import (
    AccessAction,
    AccessGet,
    AccessResult,
    AccessService,
    AccessSet,
    AccessSpecification,
)
from dlms_objects.wire.action import ActionResponseWithOptionalData
from dlms_objects.wire.lists import AttributeWithSelection

# --- commands to the client engine ---


@dataclass(frozen=True, slots=True)
class GetList:
    """Read several attributes; ends in GetListDone, GetFailed (the transfer broke off) or PeerException."""

    attributes: tuple[AttributeWithSelection, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list (InvalidValueError)."""
        _check(self.attributes)


@dataclass(frozen=True, slots=True)
class SetList:
    """Write several attributes, one value for each; ends in SetListDone or PeerException."""

    attributes: tuple[AttributeWithSelection, ...]
    values: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list, or another number of values (InvalidValueError)."""
        _check(self.attributes, self.values)


@dataclass(frozen=True, slots=True)
class ActionList:
    """Invoke several methods in turn, one value of parameters for each; ends in ActionListDone or PeerException."""

    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list, or another number of parameters (InvalidValueError)."""
        _check(self.methods, self.parameters)


@dataclass(frozen=True, slots=True)
class Access:
    """Read, write and invoke in turn, one value for each; ends in AccessDone or PeerException.

    With `breaks_on_error` nothing after the first failure is to be done.
    """

    specifications: tuple[AccessSpecification, ...]
    values: tuple[bytes, ...]
    breaks_on_error: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty list, or another number of values (InvalidValueError)."""
        _check(self.specifications, self.values)


ListCommand = GetList | SetList | ActionList | Access

# --- events of the client engine ---


@dataclass(frozen=True, slots=True)
class GetListDone:
    """Each attribute's value, or why there is none."""

    results: tuple[bytes | DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class SetListDone:
    """Whether each attribute was written."""

    results: tuple[DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class ActionListDone:
    """Whether each method was carried out, and what it returned."""

    responses: tuple[ActionResponseWithOptionalData, ...]


@dataclass(frozen=True, slots=True)
class AccessDone:
    """A value and a result for each specification."""

    values: tuple[bytes, ...]
    results: tuple[AccessResult, ...]


ListDone = GetListDone | SetListDone | ActionListDone | AccessDone

# --- events of the server engine ---


@dataclass(frozen=True, slots=True)
class GetListRequested:
    """Answer with GetListAnswer."""

    invoke_id: int
    attributes: tuple[AttributeWithSelection, ...]


@dataclass(frozen=True, slots=True)
class SetListRequested:
    """Answer with SetListAnswer."""

    invoke_id: int
    attributes: tuple[AttributeWithSelection, ...]
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ActionListRequested:
    """Answer with ActionListAnswer."""

    invoke_id: int
    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccessRequested:
    """Answer with AccessAnswer; with `breaks_on_error` do nothing after the first failure."""

    long_invoke_id: int
    specifications: tuple[AccessSpecification, ...]
    values: tuple[bytes, ...]
    breaks_on_error: bool


ListRequested = GetListRequested | SetListRequested | ActionListRequested | AccessRequested

# --- the application's answers to the server engine ---


@dataclass(frozen=True, slots=True)
class GetListAnswer:
    """Each attribute's value, or why there is none."""

    results: tuple[bytes | DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class SetListAnswer:
    """Whether each attribute was written."""

    results: tuple[DataAccessResult, ...]


@dataclass(frozen=True, slots=True)
class ActionListAnswer:
    """Whether each method was carried out, and what it returned."""

    responses: tuple[ActionResponseWithOptionalData, ...]


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """A value (null-data where there is none) and a result for each specification."""

    values: tuple[bytes, ...]
    results: tuple[AccessResult, ...]

    def __post_init__(self) -> None:
        """Refuse another number of values than of results (InvalidValueError)."""
        _check(self.results, self.values)


ListAnswer = GetListAnswer | SetListAnswer | ActionListAnswer | AccessAnswer


_ACCESS_SERVICES: dict[type[AccessSpecification], AccessService] = {
    AccessGet: AccessService.GET,
    AccessSet: AccessService.SET,
    AccessAction: AccessService.ACTION,
}


def services_of(specifications: tuple[AccessSpecification, ...]) -> list[AccessService]:
    """What the results of these specifications must be the results of, in their order."""
    return [_ACCESS_SERVICES[type(specification)] for specification in specifications]


def _check(items: tuple[object, ...], values: tuple[bytes, ...] | None = None) -> None:
    if not items or (values is not None and len(values) != len(items)):
        raise InvalidValueError(f"{len(items)} items, {'no' if values is None else len(values)} values")
