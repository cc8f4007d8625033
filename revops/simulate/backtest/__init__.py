"""Backtest: the node's own past under another config, with what is not known drawn by chance."""
