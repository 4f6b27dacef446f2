"""Commands: what the head-end asks of a meter, kept durably, carried out once, and reported until it is known."""
