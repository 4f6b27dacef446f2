"""The way to InfluxDB: the sink of the outbox, reading back, and making the ledger's points again."""
