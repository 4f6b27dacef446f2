"""A head-end's API in this process: a fresh database, two tokens, a client."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from headend.api.application import make_application
from headend.authentication import new_token, store_token
from headend.database import Database, transaction
from headend.permissions import Role
from headend.place import Place

GATEWAY_TOKEN = new_token()
READER_TOKEN = new_token()
ADMIN_TOKEN = new_token()
GATEWAY = {"Authorization": f"Bearer {GATEWAY_TOKEN}"}
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
READER = {"Authorization": f"Bearer {READER_TOKEN}"}
BODY_LIMIT = 64 * 1024


@pytest.fixture
def database(fresh: Place) -> Iterator[Database]:
    """An open database with two meters and three tokens."""
    with transaction(fresh) as connection:
        store_token(connection, name="gateway", role=Role.GATEWAY, token=GATEWAY_TOKEN)
        store_token(connection, name="reader", role=Role.AUDITOR, token=READER_TOKEN)
        store_token(connection, name="admin", role=Role.ADMIN, token=ADMIN_TOKEN)
    database = Database(fresh, write_queue=4)
    yield database
    database.close()


@pytest.fixture
def client(database: Database) -> Iterator[httpx.Client]:
    """A client without a token."""
    application = make_application(database, maximum_body_octets=BODY_LIMIT)
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def gateway(client: httpx.Client) -> httpx.Client:
    """The client with a gateway's token."""
    client.headers.update(GATEWAY)
    return client


@pytest.fixture
def reader(database: Database) -> Iterator[httpx.Client]:
    """A client with an auditor's token."""
    application = make_application(database, maximum_body_octets=BODY_LIMIT)
    with TestClient(application, headers=READER, raise_server_exceptions=False) as client:
        yield client
