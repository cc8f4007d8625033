"""The simulator: the live core against a snapshot, offline; it reads no clock and no network."""
