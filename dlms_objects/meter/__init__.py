"""The virtual meter: a logical device with a purse, its durable store and its TCP service."""
