"""Sizes: how large the payments were that came, and those that there was no room for."""

import math
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr

from revops.simulate.arena.spreads import Array
from revops.simulate.arena.tape import RESERVE_SHARE
from revops.simulate.backtest.balances import Balances
from revops.simulate.backtest.history import History
from revops.simulate.forecast.amounts import Amounts

# What is usual on the network counts as much as so many forwards.
_MEDIAN_SAT: Final = 12_000.0
_SD: Final = 1.7
_FORWARDS: Final = 10
# What is usual on the node counts as much as so many forwards of a channel.
_OF_CHANNEL: Final = 50
_MOST: Final = 20_000
"""More forwards than these tell nothing new of their amounts."""
_LEAST_SD: Final = 0.05
_LOG_TAU: Final = math.log(2 * math.pi) / 2


def sizes(history: History, held: Balances) -> Amounts:
    """
    Return the amounts that would come if there was room for all.

    A forward tells that its amount is what it is, and nothing of those that did not fit there and
    then: log-normal amounts, each cut off at the room that it had.
    """
    every = max(len(history.forwards) // _MOST, 1)
    rows = history.forwards[::every]
    out = np.array([row.out for row in rows], dtype=np.int64)
    logs = np.log(np.array([row.amount_msat for row in rows], dtype=np.float64) / 1000)
    rooms = np.maximum(np.log(_rooms(history, held, every) / 1000), logs)
    middle, sd = _likeliest(logs, rooms)
    known = (rooms - middle) / sd
    # What is missing beyond the room makes the mean of what is seen smaller.
    mills = np.exp(-0.5 * known**2 - _LOG_TAU - log_ndtr(known))
    off = logs - middle + sd * mills
    count = len(history.places)
    seen = np.bincount(out, minlength=count)
    shift = np.bincount(out, off, count) / (seen + _OF_CHANNEL)
    error = sd / np.sqrt(seen + _OF_CHANNEL)
    return Amounts(np.exp(middle + shift), error, sd)


def _rooms(history: History, held: Balances, every: int) -> Array:
    """
    Return what each of *every* so many forwards could have been at most, in msat.
    """
    rows = history.forwards[::every]
    at = np.array([row.at for row in rows], dtype=np.int64)
    into = np.array([row.into for row in rows], dtype=np.int64)
    out = np.array([row.out for row in rows], dtype=np.int64)
    rooms = np.full(len(rows), np.inf)
    for channel, place in enumerate(history.places):
        floor = place.capacity_msat // RESERVE_SHARE
        leaves, enters = out == channel, into == channel
        here = held.of(channel, at[leaves]) - floor
        there = place.capacity_msat - held.of(channel, at[enters]) - floor
        rooms[leaves] = np.minimum(rooms[leaves], here)
        rooms[enters] = np.minimum(rooms[enters], there)
    least: Array = np.maximum(rooms, 1.0)
    return least


def _likeliest(logs: Array, rooms: Array) -> tuple[float, float]:
    prior = math.log(_MEDIAN_SAT)

    def unlikely(at: Array) -> float:
        middle, sd = float(at[0]), math.exp(float(at[1]))
        apart = (logs - middle) / sd
        seen = 0.5 * apart**2 + math.log(sd) + log_ndtr((rooms - middle) / sd)
        usual = 0.5 * ((prior - middle) ** 2 + _SD**2) / sd**2 + math.log(sd)
        return float(seen.sum() + _FORWARDS * usual)

    found = minimize(unlikely, np.array([prior, math.log(_SD)]), method="Nelder-Mead")
    return float(found.x[0]), max(math.exp(float(found.x[1])), _LEAST_SD)
