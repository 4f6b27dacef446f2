"""Looking through a whole ledger for damage: what is in the database, held against the meters' own rows."""
