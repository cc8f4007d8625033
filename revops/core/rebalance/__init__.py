"""Rebalancing: which channels to refill, from where, and at what price it still pays."""
