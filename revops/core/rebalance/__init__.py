"""Rebalancing: which channels to refill, from where, and at what price it still pays."""

from revops.core.rebalance.decide import rebalance

__all__ = ["rebalance"]
