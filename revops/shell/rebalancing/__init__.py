"""Rebalancing: money is looked after, planned and moved, on a thread that waits for nobody else."""
