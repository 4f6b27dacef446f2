"""The JSON of commands, top-ups and keys. Imported by their routers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dlms_objects.values.money import MAXIMUM_MINOR, Currency
from headend import commands
from headend.api.fields import EXAMPLE_TITLE, Amount, amount
from headend.command_kinds import CommandKind

TITLE_PATTERN = "^[0-9A-Fa-f]{16}$"
EXAMPLE_ID = "00112233445566778899aabbccddeeff"
MOST_IN_BULK = 10_000

TitleText = Annotated[str, Field(pattern=TITLE_PATTERN, examples=[EXAMPLE_TITLE])]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Wanted(_Sent):
    kind: CommandKind
    parameters: dict[str, Any] = Field(
        description="What the kind of command takes; see docs/commands.md.", examples=[{"number": 1}]
    )
    priority: Annotated[int, Field(strict=True, ge=0, le=9, description="0 comes first.")] = commands.USUAL_PRIORITY
    not_before: AwareDatetime | None = Field(default=None, description="Not handed to the gateway before.")
    expires_at: AwareDatetime | None = Field(default=None, description="Not begun after.")


class CommandWanted(_Wanted):
    """Something to be done by one meter."""

    system_title: TitleText


class BulkWanted(_Wanted):
    """Something to be done by many meters."""

    system_titles: Annotated[list[TitleText], Field(min_length=1, max_length=MOST_IN_BULK)]


class Command(BaseModel):
    """A command as it stands."""

    id: str = Field(examples=[EXAMPLE_ID])
    number: int = Field(description="Grows with every command.")
    system_title: str = Field(examples=[EXAMPLE_TITLE])
    kind: CommandKind
    parameters: dict[str, Any]
    priority: int
    bulk: str | None = Field(description="The id of the bulk it is part of.")
    created_at: datetime
    created_by: str = Field(description="Role and name.", examples=["operator olga"])
    not_before: datetime | None
    expires_at: datetime | None
    state: commands.State
    changed_at: datetime
    reason: str | None = Field(description="Why it was not done.")
    answer: dict[str, Any] | None = Field(description="What the meter said.")

    @classmethod
    def of(cls, command: commands.Command) -> "Command":
        """A command as JSON."""
        told = {name: getattr(command, name) for name in cls.model_fields if name != "id"}
        return cls(id=command.command_id, **told)


class Commands(BaseModel):
    """A page of commands, oldest first."""

    commands: list[Command]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.")


class Refused(BaseModel):
    """A meter that the command could not be made for."""

    system_title: str
    detail: str


class Bulk(BaseModel):
    """How far a command to many meters is."""

    id: str = Field(examples=[EXAMPLE_ID])
    states: dict[commands.State, int] = Field(description="How many of its commands are in which state.")
    total: int
    open: int = Field(description="How many have no final state yet.")
    refused: list[Refused] = Field(default_factory=list, description="Meters it could not be made for.")

    @classmethod
    def of(cls, bulk: str, states: dict[commands.State, int]) -> "Bulk":
        """Progress as JSON."""
        total = sum(states.values())
        final = sum(count for state, count in states.items() if state in commands.FINAL)
        return cls(id=bulk, states=states, total=total, open=total - final)


class TopUpWanted(_Sent):
    """Money that was paid in for a purse."""

    amount_minor: Annotated[
        int, Field(strict=True, ge=1, le=MAXIMUM_MINOR, description="Minor units.", examples=[50_000])
    ]
    expires_at: AwareDatetime | None = Field(default=None, description="Not begun after.")


class TopUp(BaseModel):
    """A top-up, or its refund, from the intent to the meter's answer."""

    id: str = Field(description="Also the transaction id in the meter.", examples=[EXAMPLE_ID])
    kind: Literal["top_up", "refund"]
    system_title: str = Field(examples=[EXAMPLE_TITLE])
    amount: Amount
    state: commands.State = Field(description="`confirmed`: the meter has it; everything before may still change.")
    reason: str | None = Field(description="Why it was not done.")
    sequence: int | None = Field(description="The entry in the meter's journal, once it is there.")
    balance: Amount | None = Field(description="The balance after it, as the meter said.")
    is_booked: bool = Field(description="Whether the entry has come to the ledger.")

    @classmethod
    def of(cls, command: commands.Command, minor: int, currency: Currency | None, *, is_booked: bool) -> "TopUp":
        """A top-up or reversal command as JSON; `minor` is what the purse gains."""
        answer = command.answer or {}
        balance = answer.get("balance_minor")
        return cls(
            id=command.command_id,
            kind="top_up" if command.kind is CommandKind.TOP_UP else "refund",
            system_title=command.system_title,
            amount=amount(minor, currency),
            state=command.state,
            reason=command.reason,
            sequence=answer.get("sequence"),
            balance=None if balance is None else amount(balance, currency),
            is_booked=is_booked,
        )


class HandedOut(BaseModel):
    """A command for a gateway to carry out."""

    id: str = Field(examples=[EXAMPLE_ID])
    system_title: str = Field(examples=[EXAMPLE_TITLE])
    kind: CommandKind
    parameters: dict[str, Any]
    priority: int
    expires_at: datetime | None


class HandedOuts(BaseModel):
    """What a gateway has to do, first things first; all of it again until its result is here."""

    commands: list[HandedOut]


class ResultSent(_Sent):
    """What became of a command."""

    state: Literal["confirmed", "refused", "failed", "expired"]
    reason: Annotated[str, Field(max_length=500)] | None = None
    answer: dict[str, Any] = Field(default_factory=dict, max_length=256)
    at: AwareDatetime

    def result(self) -> commands.Result:
        """The same for the table of commands."""
        return commands.Result(state=commands.State(self.state), reason=self.reason, answer=self.answer)


class AssignedMeter(BaseModel):
    """A meter of the gateway, and which keys it may ask for."""

    system_title: str = Field(examples=[EXAMPLE_TITLE])
    household: str
    sequence: int = Field(description="The ledger has the entries up to this one.")
    open_commands: int


class AssignedMeters(BaseModel):
    """A page of the meters that are assigned to the gateway, by system title."""

    meters: list[AssignedMeter]
    next_after: str | None = Field(description="`after` of the next page; null on the last one.")


class RecipientSent(_Sent):
    """For whom a gateway's keys are to be wrapped."""

    recipient: Annotated[str, Field(pattern="^age1[0-9a-z]{58}$", description="An age recipient (X25519).")]


class CounterSent(_Sent):
    """The highest invocation counter a gateway has used with a meter."""

    system_title: TitleText
    role: Literal["reader", "management"]
    invocation_counter: Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]


class CountersSent(_Sent):
    """Counters of any number of meters."""

    counters: Annotated[list[CounterSent], Field(max_length=10_000)]


class RotationWanted(_Sent):
    """Whose keys are to be replaced."""

    role: Literal["reader", "management"]


class KeyState(BaseModel):
    """A generation of a meter's keys, without the keys."""

    role: str
    generation: int
    state: Literal["wanted", "in_force", "replaced"]
    name: str = Field(description="Tells keys apart and gives none away.")
    invocation_counter: int


class KeyStates(BaseModel):
    """Every generation of a meter's keys."""

    keys: list[KeyState]
