"""The fleet's configuration: `fleet.toml`, read at the start, and `faults.toml`, which may change at any time."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dlms_objects.meter.config import Listen, VirtualClockConfig
from dlms_objects.meter.fleet.identity import LARGEST_FLEET
from dlms_objects.program_folder import counted_from_folder

CONFIG_NAME = "fleet.toml"
FAULTS_NAME = "faults.toml"

Chance = Annotated[float, Field(ge=0, le=1)]


class FleetConfig(BaseModel):
    """`fleet.toml`; `store` is counted from its folder: a file of all meters, or a folder with a file for each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meters: int = Field(ge=1, le=LARGEST_FLEET)
    seed: int
    listen: Listen = "127.0.0.1:4059"
    stores: Literal["shared", "own"] = "shared"
    store: Annotated[Path, AfterValidator(counted_from_folder)]
    inactivity_s: float = Field(default=180.0, gt=0, le=86_400)
    maximum_connections: int = Field(default=20_000, ge=1, le=1_000_000)
    clock: VirtualClockConfig


class FaultsConfig(BaseModel):
    """`faults.toml`: how likely each fault is, which meters have any, and the seed of the dice.

    The chances of drop, delay, truncate, duplicate and corrupt are those of each message that passes, in either
    direction, and add up to 1 at most; that of refuse is of each connection, that of restart of each answer.
    `saps` empty: every meter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    saps: frozenset[int] = frozenset()
    drop: Chance = 0
    delay: Chance = 0
    truncate: Chance = 0
    duplicate: Chance = 0
    corrupt: Chance = 0
    refuse: Chance = 0
    restart: Chance = 0
    delay_s: float = Field(default=1.0, gt=0, le=600)
    away_s: float = Field(default=2.0, gt=0, le=86_400)

    @model_validator(mode="after")
    def _chances_add_up(self) -> Self:
        if self.drop + self.delay + self.truncate + self.duplicate + self.corrupt > 1:
            raise ValueError("the chances of drop, delay, truncate, duplicate and corrupt add up to more than 1")
        return self
