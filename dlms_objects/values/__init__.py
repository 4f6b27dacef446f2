"""Immutable nouns of the field: logical names, money, COSEM time, typed COSEM data. Stdlib only, no I/O, no clock."""
