"""Alembic's environment: it runs on the connection it is handed, inside that connection's transaction.

Loaded by alembic from `headend.database.migrate`, never imported.
"""

from alembic import context

from headend import (  # noqa: F401 - their tables are of the same metadata
    schema_access,
    schema_commands,
    schema_settlement,
)
from headend.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
