"""COSEM interface classes as declarations, and the catalogue of the objects a MeterPurse meter shows."""
