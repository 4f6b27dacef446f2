"""The head-end: the books of all meters, the notices to their households, and the HTTP API before both."""
