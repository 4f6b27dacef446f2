"""The fleet: many virtual meters in one process, each with its own purse and keys; a source of load and of faults."""
