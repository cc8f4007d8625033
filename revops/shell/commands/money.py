"""Money: which days a report is about, and amounts as answers show them."""

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from revops.core.ledger import Account
from revops.core.pnl import Pnl, Total
from revops.core.units import DAY, Msat, sats_down, sats_up
from revops.shell.commands.command import Answer, Argument, CommandError, Given, whole
from revops.shell.readings import WINDOW_DAYS, Reading

if TYPE_CHECKING:
    from revops.shell.app import App

MOST_DAYS: Final = 3650
WINDOW: Final = Argument(
    "window_days", "how many whole days (UTC) before today, which counts as far as it got; 30"
)
FROM: Final = Argument("from", "the first day (UTC), as 2026-07-31 or in seconds; 30 days ago")
TO: Final = Argument("to", "the last day, likewise; today")
LIMIT: Final = Argument("limit", "at most so many rows of each list; 100")

_ROWS: Final = 100
_MOST_ROWS: Final = 1_000_000
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOST_SECONDS: Final = 1 << 37
_COSTS: Final = ("open_cost", "close_cost", "splice_cost", "refill_cost")


# What was asked for ---------------------------------------------------------------------------


def span(app: "App", given: Given) -> Reading:
    """
    Return the books with the window that *given* asks for by its first and last day.

    Raises:
        CommandError: There is no such window.
    """
    now = app.clock.now()
    last = min(_day("to", given.get("to", now)), now // DAY)
    first = _day("from", given.get("from", max(0, last - WINDOW_DAYS) * DAY))
    if first > last:
        msg = f"from: expected no day after {day_name(last)} (to), got {given.get('from')!r}"
        raise CommandError(msg)
    return app.readings.of(now, first, last)


def rows_wanted(given: Given) -> int:
    """
    Return how many rows of a list are wanted.
    """
    return whole("limit", given.get("limit", _ROWS), 0, _MOST_ROWS)


def _day(name: str, value: object) -> int:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            day = date.fromisoformat(value).toordinal() - _FIRST_DAY
        except ValueError as error:
            msg = f"{name}: {error}, got {value!r}"
            raise CommandError(msg) from None
        if day >= 0:
            return day
    try:
        return whole(name, value, 0, _MOST_SECONDS) // DAY
    except CommandError:
        msg = f"{name}: expected a day like 2026-07-31, or seconds since 1970, got {value!r}"
        raise CommandError(msg) from None


# How it is shown ------------------------------------------------------------------------------


def day_name(day: int) -> str:
    """
    Return a day as people write it.
    """
    return date.fromordinal(_FIRST_DAY + day).isoformat()


def window_of(reading: Reading) -> Answer:
    """
    Return which time the window of *reading* is.
    """
    ledger = reading.ledger
    return {
        "from": day_name(ledger.start // DAY),
        "to": day_name(max(ledger.start, ledger.end - 1) // DAY),
        "days": round(reading.period.days, 2),
        "books_since": ledger.since,
    }


def earned(name: str, amount: Msat | None) -> Answer:
    """
    Return an income or a balance: sats for people, rounded down, and msat.
    """
    sats = None if amount is None else sats_down(amount)
    return {f"{name}_sats": sats, f"{name}_msat": amount}


def spent(name: str, total: Total) -> Answer:
    """
    Return a cost: sats for people, rounded up, and msat; null when nothing of it is known.
    """
    if total.unknown and not total.known_msat:
        return {f"{name}_sats": None, f"{name}_msat": None}
    return {f"{name}_sats": sats_up(total.known_msat), f"{name}_msat": total.known_msat}


def percent(share: float | None) -> float | None:
    """
    Return *share* in percent; null when it is unknown.
    """
    return None if share is None else round(share * 100, 4)


def name_of(account: Account) -> str:
    """
    Return what a channel is called: its short channel id, as long as it ever had one.
    """
    return account.scid or account.channel_id


def told(pnl: Pnl) -> Answer:
    """
    Return profit and loss: each amount twice, and which costs are estimated or unknown. Of a cost
    that is partly unknown, the known part is shown.
    """
    costs: dict[str, Total] = {name: getattr(pnl, name) for name in _COSTS}
    return {
        **earned("earned", pnl.earned_msat),
        **earned("sourced", pnl.sourced_msat),
        **spent("open_cost", pnl.open_cost),
        **spent("close_cost", pnl.close_cost),
        **spent("splice_cost", pnl.splice_cost),
        **spent("rebalance_cost", pnl.refill_cost),
        **spent("costs", pnl.costs),
        **earned("net", pnl.net_msat),
        "roi_pct": percent(pnl.roi),
        "forwards_in": pnl.in_count,
        "forwards_out": pnl.out_count,
        **earned("volume_in", pnl.in_msat),
        **earned("volume_out", pnl.out_msat),
        "estimated": [_outside(name) for name, cost in costs.items() if cost.estimated_msat],
        "unknown": [_outside(name) for name, cost in costs.items() if cost.unknown],
    }


def _outside(name: str) -> str:
    return "rebalance_cost" if name == "refill_cost" else name
