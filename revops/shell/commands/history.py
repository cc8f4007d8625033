"""revenue-history: profit and loss since ever, closed channels included, and day by day."""

from typing import TYPE_CHECKING

from revops.core.ledger import Account, Day
from revops.core.pnl import added, pnl_of
from revops.core.units import DAY, Msat, sats_down, sats_up
from revops.shell.commands.command import Answer, Command, Given
from revops.shell.commands.money import (
    LIMIT,
    day_name,
    earned,
    name_of,
    percent,
    rows_wanted,
    spent,
    told,
)

if TYPE_CHECKING:
    from revops.shell.app import App

_YEAR_DAYS = 365


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-history`.
    """
    limit = rows_wanted(given)
    now = app.clock.now()
    reading = app.readings.lately(now)
    closed = sorted(
        (a for a in reading.ledger.accounts if a.closed_at is not None),
        key=lambda account: (-(account.closed_at or 0), account.channel_id),
    )
    days = app.store.reports.days(max(0, now // DAY - limit + 1))
    life = reading.lifetime
    return {
        **earned("lifetime_revenue", life.earned_msat),
        **spent("lifetime_opening_costs", life.open_cost),
        **spent("lifetime_closure_costs", life.close_cost),
        **spent("lifetime_splice_costs", life.splice_cost),
        **spent("lifetime_rebalance_costs", life.refill_cost),
        **spent("lifetime_total_costs", life.costs),
        **earned("lifetime_estimated_costs", life.costs.estimated_msat),
        "lifetime_unknown_costs": life.costs.unknown,
        **earned("lifetime_net_profit", life.net_msat),
        "lifetime_roi_percent": percent(life.roi),
        "lifetime_forward_count": life.out_count,
        **earned("lifetime_volume", life.out_msat),
        "books_since": reading.ledger.since,
        "open_channels": told(reading.open),
        "without_channel": told(pnl_of(reading.ledger.stray_life)),
        "closed_channels_summary": _summary(closed),
        "closed_channels_total": len(closed),
        "closed_channels": [_closed(account) for account in closed[:limit]],
        "days": [_day(day) for day in days[::-1]],
        "generated_at": reading.ledger.now,
    }


def _summary(closed: list[Account]) -> Answer:
    """
    Return what closed channels came to, under the predecessor's names and in full.
    """
    pnl = added(pnl_of(account.life) for account in closed)
    ages = [(a.closed_at or 0) - a.opened_at for a in closed if a.opened_at is not None]
    return {
        "channel_count": len(closed),
        "total_capacity": sats_down(Msat(sum(account.capacity_msat for account in closed))),
        "total_open_costs": sats_up(pnl.open_cost.known_msat),
        "total_closure_costs": sats_up(pnl.close_cost.known_msat),
        "total_splice_costs": sats_up(pnl.splice_cost.known_msat),
        "total_revenue": sats_down(pnl.earned_msat),
        "total_rebalance_costs": sats_up(pnl.refill_cost.known_msat),
        "total_forwards": pnl.out_count,
        "total_net_pnl": sats_down(pnl.net_msat),
        "avg_days_open": round(sum(ages) / len(ages) / DAY, 1) if ages else None,
        **told(pnl),
    }


def _closed(account: Account) -> Answer:
    return {
        "channel_id": name_of(account),
        "peer_id": account.peer_id,
        **earned("capacity", account.capacity_msat),
        "opened_at": account.opened_at,
        "closed_at": account.closed_at,
        **told(pnl_of(account.life)),
    }


def _day(day: Day) -> Answer:
    """
    Return one day; what nobody looked at on it is null.
    """
    balance = day.balance
    capacity = balance.capacity_msat if balance else None
    total = None
    if balance and balance.onchain_msat is not None:
        total = Msat(balance.channel_msat + balance.onchain_msat)
    costs = Msat(day.refill_cost_msat + day.chain_cost_msat)
    net = Msat(day.earned_msat - costs)
    return {
        "day": day_name(day.number),
        **earned("tlv", total),
        **earned("channels", balance.channel_msat if balance else None),
        **earned("onchain", balance.onchain_msat if balance else None),
        **earned("capacity", capacity),
        "channel_count": balance.channel_count if balance else None,
        **earned("gross_revenue", day.earned_msat),
        **earned("volume", day.volume_msat),
        "forward_count": day.forward_count,
        "rebalance_cost_sats": sats_up(day.refill_cost_msat),
        "rebalance_cost_msat": day.refill_cost_msat,
        "chain_cost_sats": sats_up(day.chain_cost_msat),
        "chain_cost_msat": day.chain_cost_msat,
        **earned("net_profit", net),
        "operating_margin_pct": percent(net / day.earned_msat) if day.earned_msat else None,
        "annualized_roc_pct": percent(net / capacity * _YEAR_DAYS) if capacity else None,
    }


COMMAND = Command(
    name="revenue-history",
    help="Show profit and loss since ever, with the channels that closed, and day by day.",
    arguments=(LIMIT,),
    run=run,
    examples=("revenue-history", "revenue-history 7"),
)
