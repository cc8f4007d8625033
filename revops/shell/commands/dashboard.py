"""revenue-dashboard: what the node is worth, what it earned lately, and what is wrong with that."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from revops.core.ledger import Account, balance_of
from revops.core.pnl import Period, covered
from revops.core.profit import bleeds
from revops.core.units import DAY, Instant, Msat, sats_down, sats_up
from revops.shell.commands.command import Answer, Command, Given, whole
from revops.shell.commands.money import (
    MOST_DAYS,
    WINDOW,
    day_name,
    earned,
    name_of,
    percent,
    spent,
    window_of,
)
from revops.shell.readings import WINDOW_DAYS, Reading

if TYPE_CHECKING:
    from revops.shell.app import App

_NAMED: Final = 10
_BALANCES_DAYS: Final = 7
"""How old what the wallet held may be."""


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-dashboard`.
    """
    days = whole("window_days", given.get("window_days", WINDOW_DAYS), 1, MOST_DAYS)
    now = app.clock.now()
    reading, month = (app.readings.lately(now, n) for n in (days, WINDOW_DAYS))
    bleeding = bleeders(month)
    holds, weighed = _holds(app, now)
    pnl = reading.period.pnl
    return {
        "financial_health": {
            **holds,
            **earned("net_profit", pnl.net_msat),
            "operating_margin_pct": percent(pnl.operating_margin),
            "annualized_roc_pct": percent(reading.period.roc),
        },
        "period": {"window_days": days, **window_of(reading), **_period(reading.period)},
        "warnings": [
            *_incomplete(app, reading),
            *_inexact(reading, weighed=weighed),
            *map(_bleeding, bleeding[:_NAMED]),
        ],
        "bleeder_count": len(bleeding),
        "bleeders": [name_of(account) for account in bleeding],
        "generated_at": reading.ledger.now,
    }


def bleeders(month: Reading) -> list[Account]:
    """
    Return the open channels that refills cost more than they brought, the dearest first.
    """
    found = [a for a in month.ledger.accounts if a.closed_at is None and bleeds(a.window)]
    return sorted(found, key=lambda a: (_loss(a), a.channel_id))


def _loss(account: Account) -> Msat:
    window = account.window
    paid = window.refill_cost.amount_msat if window.refill_cost else 0
    return Msat(window.earned_msat + window.sourced_msat - paid)


# What the node holds --------------------------------------------------------------------------


def _holds(app: "App", now: Instant) -> tuple[Answer, bool]:
    """
    Return what the node holds, and whether its total is known: wallet and channels are added up as
    they were seen together, so that nothing is counted twice that moved between them since.
    """
    days = app.store.reports.days(now // DAY - _BALANCES_DAYS)
    seen = [day.balance for day in days if day.balance and day.balance.onchain_msat is not None]
    weighed = seen[-1] if seen else None
    total = onchain = in_channels = on_the_way = None
    if weighed and weighed.onchain_msat is not None:
        onchain = weighed.onchain_msat
        total = Msat(weighed.channel_msat + onchain)
    if last := app.cycle.last:
        channels = last.snapshot.channels
        in_channels = balance_of(channels, None, now).channel_msat
        on_the_way = Msat(sum(channel.to_us_msat for channel in channels) - in_channels)
    holds = {
        **earned("tlv", total),
        "tlv_at": weighed.at if weighed else None,
        **earned("onchain", onchain),
        **earned("channels_now", in_channels),
        # Of channels that closed on-chain: the wallet may have it already.
        **earned("settling_now", on_the_way),
    }
    return holds, total is not None


# What it earned -------------------------------------------------------------------------------


def _period(period: Period) -> Answer:
    pnl = period.pnl
    return {
        **earned("gross_revenue", pnl.earned_msat),
        **spent("opex", pnl.costs),
        **spent("rebalance_cost", pnl.refill_cost),
        **spent("opening_cost", pnl.open_cost),
        **spent("closure_cost", pnl.close_cost),
        **spent("splice_cost", pnl.splice_cost),
        **earned("volume", pnl.out_msat),
        "forward_count": pnl.out_count,
        # What cl-hive calls it.
        "total_forwards": pnl.out_count,
        **earned("capacity", period.capacity_msat),
    }


# What is wrong --------------------------------------------------------------------------------


def _incomplete(app: "App", reading: Reading) -> Iterator[str]:
    ledger, books = reading.ledger, app.store.books()
    if ledger.since is None:
        yield "the node's forwards are still being counted: what is earned is more than this"
    elif covered(ledger)[0] > ledger.start:
        yield f"the books begin on {day_name(ledger.since // DAY)}, within the window"
    if books.quarantined:
        yield f"{books.quarantined} forwards that cannot be are left out of all sums"
    stray = ledger.stray_window
    if stray.earned_msat or stray.sourced_msat:
        yield (
            f"{sats_down(stray.earned_msat)} sat were earned by channels of which only the short"
            " channel id is known; they are in the node's sums and in no channel's"
        )


def _inexact(reading: Reading, *, weighed: bool) -> Iterator[str]:
    costs = reading.period.pnl.costs
    if costs.estimated_msat:
        yield f"{sats_up(costs.estimated_msat)} sat of the costs are estimates"
    if costs.unknown:
        yield f"{costs.unknown} costs are unknown: the profit is at most what is shown"
    if not weighed:
        yield "what the wallet holds is unknown, and so is the total: it is looked at once a day"


def _bleeding(account: Account) -> str:
    window = account.window
    paid = window.refill_cost.amount_msat if window.refill_cost else Msat(0)
    brought = Msat(window.earned_msat + window.sourced_msat)
    return (
        f"{name_of(account)} bleeds: in {WINDOW_DAYS} days refills cost {sats_up(paid)} sat, and"
        f" its forwards brought {sats_down(brought)} sat"
    )


COMMAND = Command(
    name="revenue-dashboard",
    help="Show what the node holds, what it earned and spent lately, and what is wrong with that.",
    arguments=(WINDOW,),
    run=run,
    examples=("revenue-dashboard", "revenue-dashboard 7"),
)
