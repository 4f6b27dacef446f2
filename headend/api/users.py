"""People, tokens and the audit log of an organisation: an admin's routes. Imported by `application`."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Path, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection

from headend import audit, users
from headend.api.access import AuditReader, OpenDatabase, UserAdmin
from headend.api.fields import After, Limit
from headend.api.problems import ProblemError, documented
from headend.authentication import new_token, revoke_token, store_token, token_named
from headend.permissions import Role
from headend.users import SHORTEST_PASSWORD, User, UserError

router = APIRouter(
    prefix="/api/v1",
    tags=["access"],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$", examples=["anna"])]
NameInPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$", examples=["anna"])]


class _Placed(BaseModel):
    """A role, and whose rows a payee or resident sees."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    payee: Annotated[str, Field(min_length=1, max_length=32)] | None = Field(
        default=None, description="Of a payee: the payee's name as the meters have it.", examples=[None]
    )
    household: Annotated[str, Field(min_length=1, max_length=120)] | None = Field(
        default=None, description="Of a resident: the household's name.", examples=[None]
    )

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if (self.role is Role.PAYEE) != (self.payee is not None):
            raise ValueError("a payee, and nobody else, has a `payee`")
        if (self.role is Role.RESIDENT) != (self.household is not None):
            raise ValueError("a resident, and nobody else, has a `household`")
        return self


class NewUser(_Placed):
    """A person to be entered."""

    login: Name
    password: Annotated[
        str, Field(min_length=SHORTEST_PASSWORD, max_length=1024, repr=False, examples=["correct horse battery"])
    ]

    @model_validator(mode="after")
    def _is_a_person(self) -> Self:
        if self.role is Role.GATEWAY:
            raise ValueError("a gateway is no person; make it a token")
        return self


class ShownUser(BaseModel):
    """A person of the organisation."""

    login: str = Field(examples=["anna"])
    role: Role
    payee: str | None
    household: str | None
    is_disabled: bool

    @classmethod
    def of(cls, user: User) -> "ShownUser":
        """A person as JSON."""
        return cls(**{name: getattr(user, name) for name in cls.model_fields})


class Users(BaseModel):
    """The people of the organisation, by login."""

    users: list[ShownUser]


class NewToken(_Placed):
    """A token to be made for a program."""

    name: Name


class MadeToken(BaseModel):
    """A fresh token; shown this once and never again."""

    name: str
    role: Role
    token: str


class AuditRecord(BaseModel):
    """One change that somebody made."""

    number: int = Field(examples=[7])
    at: datetime
    actor: str = Field(description="Role and name.", examples=["admin anna"])
    action: str = Field(examples=["add user"])
    subject: str = Field(examples=["bert"])
    detail: dict[str, object]


class AuditLog(BaseModel):
    """A page of the audit log, oldest first."""

    records: list[AuditRecord]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.")


@router.get("/users", summary="The people of the organisation")
async def get_users(admin: UserAdmin, database: OpenDatabase) -> Users:
    """Everybody, also who is shut out."""
    found = await database.read(lambda connection: users.users(connection, admin.organisation_id))
    return Users(users=[ShownUser.of(each) for each in found])


@router.post(
    "/users", summary="Enter a person", status_code=HTTPStatus.CREATED, responses=documented(HTTPStatus.CONFLICT)
)
async def post_user(admin: UserAdmin, database: OpenDatabase, sent: NewUser) -> ShownUser:
    """Enter a person with a first password; 409 when the login is taken."""
    user = User(login=sent.login, role=sent.role, payee=sent.payee, household=sent.household)
    password_hash = await run_in_threadpool(users.hashed, sent.password)
    now = datetime.now(UTC)

    def work(connection: Connection) -> None:
        users.add_user(connection, admin.organisation_id, user, password_hash)
        audit.record(connection, admin, "add user", user.login, now=now, detail={"role": user.role})

    try:
        await database.write(work)
    except UserError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    return ShownUser.of(user)


@router.delete(
    "/users/{login}",
    summary="Shut a person out",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_user(admin: UserAdmin, database: OpenDatabase, login: NameInPath) -> Response:
    """The person's sessions end at once; what the person did stays in the audit log."""
    now = datetime.now(UTC)

    def work(connection: Connection) -> bool:
        is_there = users.disable_user(connection, admin.organisation_id, login, now=now)
        if is_there:
            audit.record(connection, admin, "disable user", login, now=now)
        return is_there

    if not await database.write(work):
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no user {login}")
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/tokens", summary="Make a token", status_code=HTTPStatus.CREATED, responses=documented(HTTPStatus.CONFLICT)
)
async def post_token(admin: UserAdmin, database: OpenDatabase, sent: NewToken) -> MadeToken:
    """A token for a gateway or another program; only its hash is kept. 409 when the name is taken."""
    token, now = new_token(), datetime.now(UTC)

    def work(connection: Connection) -> bool:
        if token_named(connection, admin.organisation_id, sent.name) is not None:
            return False
        store_token(
            connection,
            name=sent.name,
            role=sent.role,
            token=token,
            organisation_id=admin.organisation_id,
            payee=sent.payee,
            household=sent.household,
        )
        audit.record(connection, admin, "make token", sent.name, now=now, detail={"role": sent.role})
        return True

    if not await database.write(work):
        raise ProblemError(HTTPStatus.CONFLICT, f"there is or was a token named {sent.name}")
    return MadeToken(name=sent.name, role=sent.role, token=token)


@router.delete(
    "/tokens/{name}",
    summary="Revoke a token",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_token(admin: UserAdmin, database: OpenDatabase, name: NameInPath) -> Response:
    """The token is worthless from now on."""
    now = datetime.now(UTC)

    def work(connection: Connection) -> bool:
        is_there = revoke_token(connection, admin.organisation_id, name, now=now)
        if is_there:
            audit.record(connection, admin, "revoke token", name, now=now)
        return is_there

    if not await database.write(work):
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no token {name} that is good")
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/audit", summary="The audit log")
async def get_audit(auditor: AuditReader, database: OpenDatabase, after: After = 0, limit: Limit = 100) -> AuditLog:
    """Every change in the organisation: who, what, when; oldest first."""
    found = await database.read(
        lambda connection: audit.records(connection, auditor.organisation_id, after=after, limit=limit + 1)
    )
    page = [AuditRecord(**{name: getattr(each, name) for name in AuditRecord.model_fields}) for each in found[:limit]]
    return AuditLog(records=page, next_after=page[-1].number if len(found) > limit else None)
