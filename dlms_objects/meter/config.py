"""The meter's configuration, `meter.toml`: where it listens, where its store and keys are, which clock it runs by.

What belongs to the purse (currency, settings, fee items) is not here: it lives in the store and changes over DLMS.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo

from dlms_objects.classes.catalogue import ASSOCIATIONS, SERVER_SAP, AssociationDeclaration, Role
from dlms_objects.classes.courier_class import COURIER_SAP
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.meter.clock import EARLIEST, LATEST
from dlms_objects.meter.line_config import LineConfig
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.panel_config import PanelConfig
from dlms_objects.meter.supply_config import SupplyConfig
from dlms_objects.program_folder import checked_listen, counted_from_folder
from dlms_objects.transport.credentials import (
    CredentialsError,
    MeterCredentials,
    SecretCredentials,
    load_client_credentials,
    load_courier_credentials,
    load_credentials,
    load_master_key,
)

CONFIG_NAME = "meter.toml"
MASTER_KEY_NAME = "master_key.toml"
COURIER_KEY_NAME = "courier.toml"
RESIDENT = next(association for association in ASSOCIATIONS if association.role is Role.RESIDENT)


def _existing_store(path: Path, told: ValidationInfo) -> Path:
    store = counted_from_folder(path, told)
    if not store.is_file():
        raise ValueError(f"no meter store at {store}; make one with: meterpurse meter init")
    return store


def _complete_keys(path: Path, told: ValidationInfo) -> Path:
    folder = counted_from_folder(path, told)
    try:
        load_keys(folder)
    except LocalError as error:
        raise ValueError(str(error)) from error
    return folder


Listen = Annotated[str, AfterValidator(checked_listen)]
"""Where a program listens, `host:port`."""


class VirtualClockConfig(BaseModel):
    """A virtual clock: at the meter's first run it shows `start`, and it runs `rate` times as fast as real time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
    rate: float = Field(default=1.0, gt=0, le=10_000_000)


class ConsumptionConfig(BaseModel):
    """The simulated household behind the energy register: the seed of its habits, its mean consumption.

    The limit is what keeps the register (double-long-unsigned, Wh since 2020) from overflowing while the clock runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    kwh_per_year: int = Field(ge=0, le=50_000)


class MeterConfig(BaseModel):
    """`meter.toml`; paths are counted from its folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Listen = "127.0.0.1:4059"
    store: Annotated[Path, AfterValidator(_existing_store)]
    keys: Annotated[Path, AfterValidator(_complete_keys)]
    inactivity_s: float = Field(default=180.0, gt=0, le=86_400)
    maximum_connections: int = Field(default=32, ge=1, le=10_000)
    clock: VirtualClockConfig | None = None
    consumption: ConsumptionConfig = ConsumptionConfig(seed=1, kwh_per_year=2_400)
    supply: SupplyConfig | None = None
    line: tuple[LineConfig, ...] = ()
    panel: PanelConfig | None = None


def load_keys(folder: Path) -> dict[Role, MeterCredentials]:
    """The credentials of every ciphered association, from `<role>.toml` in the folder.

    CredentialsError where one is missing, wrong, of another association, of another meter, or has the key of another.
    """
    keys = {
        association.role: _load_key_file(folder, association) for association in ASSOCIATIONS if association.is_ciphered
    }
    if len({credentials.system_title for credentials in keys.values()}) != 1:
        raise CredentialsError(f"{folder}: the key files are of different meters")
    if len({credentials.encryption_key for credentials in keys.values()}) != len(keys):
        raise CredentialsError(f"{folder}: two key files have the same encryption key")
    return keys


def first_keys(folder: Path) -> MeterKeys:
    """The keys that a new meter takes for its own: its clients' keys and secret, its master key, its courier's keys.

    CredentialsError where one is missing, wrong or another meter's, or a key has two uses.
    """
    credentials = load_keys(folder)
    resident = load_resident(folder)
    master, courier = load_master_key(folder / MASTER_KEY_NAME), load_courier_credentials(folder / COURIER_KEY_NAME)
    for name, words, title in (
        (MASTER_KEY_NAME, "the master key", master.system_title),
        (COURIER_KEY_NAME, "the courier's keys", courier.system_title),
        (f"{RESIDENT.role}.toml", "the resident's secret", resident.system_title),
    ):
        if any(of_role.system_title != title for of_role in credentials.values()):
            raise CredentialsError(f"{folder / name}: {words} of another meter, {title}")
    try:
        return MeterKeys(
            associations={of_role.client_sap: of_role.cipher_keys() for of_role in credentials.values()}
            | {COURIER_SAP: courier.cipher_keys()},
            master_key=master.key,
            secrets={resident.client_sap: resident.secret},
        )
    except InvalidValueError as error:
        raise CredentialsError(f"{folder}: {error}") from None


def load_resident(folder: Path) -> SecretCredentials:
    """The resident's secret in the folder; CredentialsError where it is missing, wrong, or for other SAPs."""
    path = folder / f"{RESIDENT.role}.toml"
    credentials = load_client_credentials(path)
    if not isinstance(credentials, SecretCredentials):
        raise CredentialsError(f"{path}: keys, where the resident has a secret")
    _require_saps(path, credentials, RESIDENT)
    return credentials


def _load_key_file(folder: Path, association: AssociationDeclaration) -> MeterCredentials:
    path = folder / f"{association.role}.toml"
    credentials = load_credentials(path)
    _require_saps(path, credentials, association)
    return credentials


def _require_saps(
    path: Path, credentials: MeterCredentials | SecretCredentials, association: AssociationDeclaration
) -> None:
    if (credentials.client_sap, credentials.server_sap) != (association.client_sap, SERVER_SAP):
        raise CredentialsError(
            f"{path}: for client SAP {credentials.client_sap} with server SAP {credentials.server_sap};"
            f" {association.role} is client SAP {association.client_sap} with server SAP {SERVER_SAP}"
        )
