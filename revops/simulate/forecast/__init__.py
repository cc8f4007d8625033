"""Forecast: a modelled future of one's own node, drawn from its own traffic."""
