"""Delivering notices: whom to tell what and when, the log of deliveries, and the channels they take."""
