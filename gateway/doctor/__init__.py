"""`gateway doctor`: step by step from the configuration to the clock, each measured, with the cause of a failure."""
