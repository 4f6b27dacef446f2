"""The one `metadata` with every table on it, whichever module declares it. Imported by whoever looks at all of them."""

from headend import schema_access, schema_commands, schema_settlement
from headend.schema import metadata

__all__ = ["metadata", "schema_access", "schema_commands", "schema_settlement"]
