"""The HTTP API: gateways upload, readers read, monitors look at its health."""
