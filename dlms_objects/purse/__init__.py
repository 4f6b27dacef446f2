"""The money rules: pure functions over frozen state. No I/O, no clock, no COSEM services."""
