"""What a meter can be told to do, and with what: every kind of command and the parameters it takes.

What a meter would refuse for its form is refused here, at once and with the place; a fee item's parameters are judged
by the very codec of the meter. Imported by `commands` and the routers.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator

from dlms_objects.classes.fee_item_class import FEE_ITEM_COUNT, PARAMETERS
from dlms_objects.classes.parameters_codec import parameters_from_data
from dlms_objects.classes.purse_class import SETTINGS
from dlms_objects.classes.shape import from_plain
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.money import MAXIMUM_MINOR


class CommandKind(StrEnum):
    """What is to be done."""

    SET_FEE_ITEM = "set_fee_item"
    """Write a fee item's parameters, now or to take force at `activation_time`."""
    CANCEL_FEE_ITEM_CHANGE = "cancel_fee_item_change"
    DELETE_FEE_ITEM = "delete_fee_item"
    SET_AMOUNT = "set_amount"
    """Tell the amount of one occurrence: a bill."""
    CANCEL_AMOUNT = "cancel_amount"
    TOP_UP = "top_up"
    REVERSE = "reverse"
    ADJUST = "adjust"
    SETTINGS = "settings"
    CLOCK = "clock"
    SUPPLY = "supply"
    KEY_TRANSFER = "key_transfer"
    """Replace the keys of an association by those that are wanted next."""
    READ = "read"
    READ_FEE_ITEM = "read_fee_item"


class CommandError(LocalError):
    """A command cannot be made so; the text says where and why."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Identifier = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="16 octets in hexadecimal.")]
Number = Annotated[int, Field(strict=True, ge=1, le=FEE_ITEM_COUNT, description="The fee item.")]
Minor = Annotated[int, Field(strict=True, ge=1, le=MAXIMUM_MINOR, description="Minor units.")]


class _Item(_Told):
    number: Number


class _SetFeeItem(_Item):
    parameters: dict[str, Any]
    activation_time: AwareDatetime | None = None

    @field_validator("parameters")
    @classmethod
    def _as_the_meter_takes_it(cls, told: dict[str, Any]) -> dict[str, Any]:
        try:
            parameters_from_data(from_plain(PARAMETERS, told, "parameters"))
        except InvalidValueError as error:
            raise ValueError(str(error)) from None
        return told


class _Due(_Item):
    due: date


class _SetAmount(_Due):
    amount_minor: Minor
    reference: Identifier


class _TopUp(_Told):
    amount_minor: Minor
    transaction_id: Identifier


class _Adjust(_Told):
    amount_minor: Annotated[int, Field(strict=True, ge=-MAXIMUM_MINOR, le=MAXIMUM_MINOR)]
    transaction_id: Identifier

    @field_validator("amount_minor")
    @classmethod
    def _moves_something(cls, told: int) -> int:
        if told == 0:
            raise ValueError("an adjustment by nothing is none")
        return told


class _Reverse(_Told):
    sequence: Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]
    transaction_id: Identifier


class _Settings(RootModel[dict[str, Any]]):
    @field_validator("root")
    @classmethod
    def _as_the_meter_takes_it(cls, told: dict[str, Any]) -> dict[str, Any]:
        try:
            from_plain(SETTINGS, told, "settings")
        except InvalidValueError as error:
            raise ValueError(str(error)) from None
        return told


class _Clock(_Told):
    maximum_step_s: Annotated[int, Field(strict=True, ge=1, le=366 * 86_400)] = 3600


class _Supply(_Told):
    connected: bool


class _Wrapped(_Told):
    key_id: Annotated[str, Field(pattern="^(global_unicast_encryption_key|authentication_key)$")]
    key_wrapped: Annotated[str, Field(pattern="^[0-9a-f]{48}$", description="Wrapped with the meter's master key.")]


class _KeyTransfer(_Told):
    role: Annotated[str, Field(pattern="^(reader|management)$")]
    generation: Annotated[int, Field(strict=True, ge=1)]
    keys: list[_Wrapped]


class _Read(_Told):
    class_id: Annotated[int, Field(strict=True, ge=1, le=65535)]
    logical_name: str
    attribute: Annotated[int, Field(strict=True, ge=1, le=127)]

    @field_validator("logical_name")
    @classmethod
    def _is_one(cls, told: str) -> str:
        try:
            return str(LogicalName.parse(told))
        except InvalidValueError as error:
            raise ValueError(str(error)) from None


_MODELS: dict[CommandKind, type[BaseModel]] = {
    CommandKind.SET_FEE_ITEM: _SetFeeItem,
    CommandKind.CANCEL_FEE_ITEM_CHANGE: _Item,
    CommandKind.DELETE_FEE_ITEM: _Item,
    CommandKind.SET_AMOUNT: _SetAmount,
    CommandKind.CANCEL_AMOUNT: _Due,
    CommandKind.TOP_UP: _TopUp,
    CommandKind.REVERSE: _Reverse,
    CommandKind.ADJUST: _Adjust,
    CommandKind.SETTINGS: _Settings,
    CommandKind.CLOCK: _Clock,
    CommandKind.SUPPLY: _Supply,
    CommandKind.KEY_TRANSFER: _KeyTransfer,
    CommandKind.READ: _Read,
    CommandKind.READ_FEE_ITEM: _Item,
}


def checked(kind: CommandKind, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a command as they travel (JSON); CommandError with the place of the first mistake."""
    try:
        told = _MODELS[kind].model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in ("parameters", *first["loc"]))
        raise CommandError(f"{kind}: {place}: {first['msg'].removeprefix('Value error, ')}") from None
    travels: dict[str, Any] = told.model_dump(mode="json")
    return travels
