"""Alembic's environment: it runs on the connection it is handed, inside that connection's transaction.

Loaded by alembic from `headend.database.migrate`, never imported.
"""

from alembic import context

from headend import schema_access, schema_settlement  # noqa: F401 - their tables are of the same metadata
from headend.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
