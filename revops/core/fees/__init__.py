"""Fees: congestion, Vegas reflex, scarcity, hill climbing, and the rails around them."""
