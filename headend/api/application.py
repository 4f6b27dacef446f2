"""The ASGI application: routers, problem details, body limit. Imported by `service` and by tests."""

from importlib.metadata import version

from fastapi import FastAPI

from headend.api import (
    commands,
    courier,
    gateway,
    gateway_commands,
    health,
    notices,
    pictures,
    problems,
    purses,
    session,
    settlements,
    statement,
    top_ups,
    users,
)
from headend.api.bell import Bell
from headend.api.rate_limit import RateLimit
from headend.api.request_body import RequestBody
from headend.database import Database
from headend.delivery.config import RecipientConfig
from headend.root_key import RootKey

COURIER_BURST = 30
COURIER_PER_MINUTE = 30.0
LOGIN_BURST = 10
LOGINS_PER_MINUTE = 6.0

_ROUTERS = (
    gateway,
    gateway_commands,
    courier,
    session,
    users,
    commands,
    top_ups,
    settlements,
    statement,
    purses,
    pictures,
    notices,
    health,
)
_DESCRIPTION = """
The books of MeterPurse: every entry of every meter's purse journal, double entry, and the notices to the households.

* **gateway**: gateways upload the meters' own rows; booked exactly once, verified by the meters' digest chain.
* **courier**: whoever walks past a meter hands in its sealed batch; the seal is all the login there is.
* **access**: sessions, the people and tokens of an organisation, its audit log.
* **commands**: what meters are to do, top-ups and refunds, the replacement of keys.
* **reading**: purses, entries, mailboxes, and a reconciliation to hold against the meter.

Amounts are whole minor units (`minor`) with the exact decimal beside them (`text`). Errors are problem details
(RFC 9457, `application/problem+json`).
"""


def make_application(  # noqa: PLR0913 - what it is made of
    database: Database,
    *,
    maximum_body_octets: int,
    recipients: tuple[RecipientConfig, ...] = (),
    root_key: RootKey | None = None,
    courier_limit: RateLimit | None = None,
    login_limit: RateLimit | None = None,
) -> FastAPI:
    """The application over an open database; `recipients` are sent what is booked through it.

    Without a root key couriers are not served; `courier_limit` is how often one address may hand in a batch,
    `login_limit` how often one login, and one address, may try a password.
    """
    application = FastAPI(
        title="MeterPurse head-end",
        version=version("meterpurse"),
        description=_DESCRIPTION,
        license_info={"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
        redoc_url=None,
    )
    application.state.database = database
    application.state.recipients = recipients
    application.state.root_key = root_key
    application.state.bell = Bell()
    application.state.courier_limit = courier_limit or RateLimit(burst=COURIER_BURST, per_minute=COURIER_PER_MINUTE)
    application.state.login_limit = login_limit or RateLimit(burst=LOGIN_BURST, per_minute=LOGINS_PER_MINUTE)
    application.add_middleware(
        RequestBody, octets=maximum_body_octets, smaller={courier.PREFIX: courier.MAXIMUM_OCTETS}
    )
    problems.install(application)
    for module in _ROUTERS:
        application.include_router(module.router)
    return application
