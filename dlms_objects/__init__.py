"""The DLMS side of MeterPurse: what a fee-paying meter is and how one talks to it."""
