"""Sweep: many configs on many seeds, on as many cores or machines as there are."""
