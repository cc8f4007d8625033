"""
Accounts: strategies for the books of channels, and for what is expected of them.

As in `strategies.py` they say what is valid, not what is likely. Kept is what every ledger keeps:
nothing happens after `now`, a channel closes after it opened, and a window is part of a life.
"""

from typing import Any

import attrs
from hypothesis import strategies as st
from property.strategies import (
    LARGEST,
    Some,
    capacities,
    channel_ids,
    instants,
    msats,
    peer_ids,
    ppms,
    ratios,
    scids,
    whole,
)

from revops.core.advice import Outlook
from revops.core.checks import MOST_MSAT
from revops.core.ledger import FREE, NOTHING, Account, Activity, Cost, Ledger
from revops.core.units import DAY
from revops.core.value import Demand

SUMS = ("in_count", "out_count", "in_msat", "out_msat", "earned_msat", "sourced_msat")
COSTS = ("open_cost", "close_cost", "splice_cost", "refill_cost")


def costs() -> Some:
    """
    Return what something may have cost, as far as anybody can tell.
    """
    return st.none() | _KNOWN_COSTS


_COUNT = whole(0, 30) | whole(0, 2**40)
# Amounts near each other as well as any at all: most of the rules compare them.
_MONEY = st.integers(0, 300).map(lambda sats: sats * 1000) | msats()
# One draw each, since a channel has eight of them.
_KNOWN_COSTS = st.sampled_from(
    [FREE]
    + [
        Cost(amount_msat=amount, estimated=estimated)
        for amount in (1, 999, 1000, 90_001, 100_000, 100_001, 270_000, 10**9, MOST_MSAT)
        for estimated in (False, True)
    ]
)
_SUMS = {name: _COUNT if name.endswith("count") else _MONEY for name in SUMS}
_ACTIVITIES = st.builds(
    Activity,
    **_SUMS,
    **dict.fromkeys(COSTS, costs()),
    refilled_msat=st.none() | msats(),
)


def activities(**fields: Some) -> Some:
    """
    Return what a channel may have done; *fields* narrow some of it.
    """
    return st.builds(attrs.evolve, _ACTIVITIES, **fields) if fields else _ACTIVITIES


def known_activities() -> Some:
    """
    Return what a channel may have done, with every cost known.
    """
    return activities(**dict.fromkeys(COSTS, _KNOWN_COSTS))


def and_more(part: Activity, rest: Activity) -> Activity:
    """
    Return both together: what nobody can tell of one, nobody can tell of the sum.
    """
    sums = {name: getattr(part, name) + getattr(rest, name) for name in SUMS}
    return Activity(
        **sums,
        **{name: _both(getattr(part, name), getattr(rest, name)) for name in COSTS},
        refilled_msat=None,
    )


def _both(one: Cost | None, other: Cost | None) -> Cost | None:
    if one is None or other is None:
        return None
    return Cost(
        amount_msat=one.amount_msat + other.amount_msat,
        estimated=one.estimated or other.estimated,
    )


# Ages on both sides of every threshold, to the second, and any at all.
AGES = st.sampled_from(
    [100 * DAY, 400 * DAY, 40 * DAY, 20 * DAY, 61 * DAY, 31 * DAY]
    + [days * DAY + second for days in (14, 30, 60, 90) for second in (-1, 0, 1)]
) | whole(0, 2**31)
_MAYBE_AGES = st.none() | AGES


def _moment(draw: st.DrawFn, now: int) -> int | None:
    age = draw(_MAYBE_AGES)
    return None if age is None else min(max(0, now - age), now)


_PLAIN: dict[str, Some] = {
    "channel_id": channel_ids(),
    "scid": st.none() | scids(),
    "peer_id": peer_ids(),
    "capacity_msat": capacities(),
    "opener": st.sampled_from(("local", "remote", None)),
    "window": _ACTIVITIES,
    "diagnostics": whole(0, 4),
    "revived": st.booleans(),
}
_REST = st.just(Activity(**dict.fromkeys(COSTS, FREE))) | _ACTIVITIES


def _account(draw: st.DrawFn, now: int, fields: dict[str, Some]) -> Account:
    values: dict[str, Any] = {name: draw(strategy) for name, strategy in (_PLAIN | fields).items()}
    for name in ("opened_at", "last_value_at"):
        if name not in fields:
            values[name] = _moment(draw, now)
    if "life" not in fields:
        values["life"] = and_more(values["window"], draw(_REST))
    if "to_us_msat" not in fields:
        values["to_us_msat"] = draw(st.none() | msats(0, values["capacity_msat"]))
    if "closed_at" not in fields:
        closed = _moment(draw, now)
        values["closed_at"] = None if closed is None else max(values["opened_at"] or 0, closed)
    return Account(**values)


def accounts(now: int = LARGEST, **fields: Some) -> Some:
    """
    Return the books of a channel as they may be found at *now*; *fields* narrow some of them.
    """
    return st.composite(_account)(now, fields)


NOWS = instants(200 * DAY, LARGEST // 4)


@st.composite
def ledgers(
    draw: st.DrawFn,
    now: int | None = None,
    min_accounts: int = 0,
    max_accounts: int = 3,
    **fields: Some,
) -> Ledger:
    """
    Return the books of a node, at any time or at *now*; *fields* narrow its channels.
    """
    if now is None:
        now = draw(NOWS)
    end = now - draw(whole(0, now) | st.just(0))
    ids = draw(st.lists(channel_ids(), min_size=min_accounts, max_size=max_accounts, unique=True))
    return Ledger(
        now=now,
        since=draw(st.sampled_from((0, None)) | instants(0, now)),
        start=max(0, end - draw(st.just(30 * DAY) | whole())),
        end=end,
        accounts=[_account(draw, now, {"channel_id": st.just(own)} | fields) for own in ids],
        stray_life=draw(st.just(NOTHING) | activities()),
        stray_window=draw(st.just(NOTHING) | activities()),
    )


# What is expected


def demands(**fields: Some) -> Some:
    """
    Return what may want to leave by a channel; *fields* narrow some of it.
    """
    return st.builds(
        Demand,
        **{
            "per_day": ratios(0, 100) | ratios(0, 1e9),
            "amount_msat": msats(1, 10**9) | msats(1),
            "spread": ratios(1, 50) | ratios(1, 1000),
            "dispersion": ratios(1, 10),
        }
        | fields,
    )


def outlooks(**fields: Some) -> Some:
    """
    Return what may be known of a channel beside its books; *fields* narrow some of it.
    """
    return st.builds(
        Outlook,
        **{
            "channel_id": channel_ids(),
            "fee_ppm": ppms(),
            "demand": st.none() | demands(),
            "short_share": st.none() | ratios(0, 1),
            "splices": st.none() | st.booleans(),
        }
        | fields,
    )


BALANCES = st.integers(0, 10**10) | msats(0, MOST_MSAT)
"""What may be on our side of a channel."""
