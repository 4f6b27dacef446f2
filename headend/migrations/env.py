"""Alembic's environment: it runs on the connection it is handed, inside that connection's transaction.

Loaded by alembic from `headend.database.migrate`, never imported.
"""

from alembic import context

from headend.whole_schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
