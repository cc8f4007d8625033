"""Rivals: the ways others run a node, from their formulas."""
