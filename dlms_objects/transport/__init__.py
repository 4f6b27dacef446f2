"""Thin Twisted glue around the sans-I/O wire: connections, the typed client, credentials and durable counters."""
