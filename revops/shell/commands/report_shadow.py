"""The shadow in a report: where it differs, how often it would have acted, and what of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from revops.core.actions import StartRebalance
from revops.core.config import OPTIONS, Config, shadow_of
from revops.core.plan import decisive
from revops.core.prospect import Prospect, prospects
from revops.core.reasons import sentence
from revops.core.units import DAY, ChannelId, Instant, Msat
from revops.shell.commands.capital import cost
from revops.shell.commands.command import Action, Answer, Argument, CommandError, Given, whole
from revops.shell.commands.money import LIMIT, MOST_DAYS, earned, rows_wanted
from revops.shell.commands.shadowing import config_of, run_of, troubles

if TYPE_CHECKING:
    from revops.adapters.store import Differed, Run
    from revops.shell.app import App

_DAYS: Final = 30
_AMOUNTS: Final = tuple(field.name for field in attrs.fields(Prospect))
_OFF: Final = (
    "shadow-config: expected one to report about, and it is off; revenue-config set shadow-config"
    " OPTION=VALUE"
)
_TOO_SOON: Final = "no cycle has come since shadow-config was set"
_LIMITS: Final = (
    "What the shadow would have learned from its own prices nobody knows: it sees the traffic that"
    " came at the live ones. Its refills move nothing: one that is wanted again counts once in"
    " rebalance-cooldown-hours, and no budget is used up by them. What is expected is for each day"
    " in which a channel can forward, at the prices of the last cycle, by what came at those that"
    " were tried; four times in five it is within low and high."
)


def _run(app: "App", given: Given) -> Answer:
    days, limit = whole("days", given.get("days", _DAYS), 1, MOST_DAYS), rows_wanted(given)
    config, run, now = config_of(app), run_of(app), app.clock.now()
    if not config:
        raise CommandError(_OFF)
    head = {"type": "shadow", "generated_at": now, "config": config}
    if run is None:
        return {**head, "cycles": 0, "note": _TOO_SOON, "troubles": troubles(app)}
    since = Instant(max(run.began_at, now - days * DAY))
    differed = app.store.shadow.differences("fee")
    outlook, effect = _outlook(app, differed)
    prices = sorted((_price_row(row, outlook) for row in differed), key=_farthest)
    refills = [_refill_row(row) for row in app.store.shadow.differences("rebalance")]
    return {
        **head,
        "began_at": run.began_at,
        "since": since,
        "note": _LIMITS,
        "troubles": troubles(app),
        "options": _options(app.settings.config),
        **_prices(app, run, since),
        **_doings(app, run, since),
        "effect": effect,
        "channels_total": len(prices),
        "channels": prices[:limit],
        "refills_total": len(refills),
        "refills": refills[:limit],
    }


def _options(live: Config) -> list[Answer]:
    shadow = shadow_of(live) or live
    return [
        {
            "option": option.name,
            "live": option.format(getattr(live, field)),
            "shadow": option.format(getattr(shadow, field)),
        }
        for field, option in OPTIONS.items()
        if field != "shadow_config" and getattr(live, field) != getattr(shadow, field)
    ]


def _prices(app: "App", run: "Run", since: Instant) -> Answer:
    sums = app.store.shadow.sums(run, "fee", since)
    return {
        "cycles": sums.cycles,
        "prices_compared": sums.channels,
        "prices_that_differed": sums.differing,
        "average_difference_ppm": _average(sums.over_ppm, sums.channels),
        "average_distance_ppm": _average(sums.apart_ppm, sums.channels),
    }


def _average(total: int, count: int) -> float | None:
    return round(total / count, 2) if count else None


def _doings(app: "App", run: "Run", since: Instant) -> Answer:
    doings = app.store.shadow.doings(run, since)
    amount = Msat(sum(refill.amount_msat for refill in doings.shadow_refills))
    fees = Msat(sum(refill.expected_fee_msat for refill in doings.shadow_refills))
    return {
        "live_updates": doings.live_updates,
        "shadow_updates": doings.shadow_updates,
        "rebalance_cycles": app.store.shadow.sums(run, "rebalance", since).cycles,
        "live_refills": doings.live_refills,
        "shadow_refills": len(doings.shadow_refills),
        **earned("shadow_refill_amount", amount),
        **cost("shadow_refill_expected_fee", fees),
    }


# What of it -----------------------------------------------------------------------------------


def _outlook(
    app: "App", differed: "Sequence[Differed]"
) -> tuple[Mapping[ChannelId, Prospect], Answer | None]:
    """
    Return what the shadow's prices are expected to bring, by channel and in all; null when there
    is no evidence about any.
    """
    last = app.cycle.last
    pairs = {
        row.difference.decision.channel_id: (row.difference.live, row.difference.shadow)
        for row in differed
        if row.difference.live and row.difference.shadow
    }
    if last is None:
        return {}, None
    learned = attrs.evolve(last.snapshot, memory=last.plan.memory)
    found, total = prospects(learned, last.config, pairs)
    if not found:
        return found, None
    counts = {"channels_counted": len(found), "channels_unknown": len(differed) - len(found)}
    return found, {**counts, **_expected(total)}


def _expected(prospect: Prospect | None) -> Answer:
    """
    Return incomes a day: sats for people, and msat; null without evidence.
    """
    amounts = attrs.asdict(prospect) if prospect else dict.fromkeys(_AMOUNTS)
    named = ((name.removesuffix("_msat"), amount) for name, amount in amounts.items())
    return {
        key: value
        for name, amount in named
        for key, value in earned(f"expected_{name}_per_day", amount).items()
    }


# Rows -----------------------------------------------------------------------------------------


def _price_row(row: "Differed", outlook: Mapping[ChannelId, Prospect]) -> Answer:
    difference = row.difference
    prices = {
        f"{whose}_{part}": value
        for whose, price in (("live", difference.live), ("shadow", difference.shadow))
        if price
        for part, value in attrs.asdict(price).items()
    }
    return {
        "channel_id": difference.decision.scid,
        "peer_id": difference.decision.peer_id,
        "decided_at": row.at,
        **prices,
        **_becauses(row),
        **_expected(outlook.get(difference.decision.channel_id)),
    }


def _refill_row(row: "Differed") -> Answer:
    decision = row.difference.decision
    return {
        "channel_id": decision.scid,
        "peer_id": decision.peer_id,
        "decided_at": row.at,
        "live_starts": bool(row.live and isinstance(row.live.action, StartRebalance)),
        "shadow_starts": isinstance(decision.action, StartRebalance),
        **_becauses(row),
    }


def _becauses(row: "Differed") -> Answer:
    return {
        "live_because": sentence(decisive(row.live)) if row.live else None,
        "shadow_because": sentence(decisive(row.difference.decision)),
    }


def _farthest(row: Answer) -> tuple[int, str]:
    return -abs(row["shadow_fee_ppm"] - row["live_fee_ppm"]), str(row["channel_id"])


ACTION: Final = Action(
    name="shadow",
    help="Where shadow-config would have other prices and refills than the live config, and why;"
    " how many updates and refills it would have made since it was set, beside what was done."
    " Nothing of it is done.",
    arguments=(
        Argument("days", f"how far back sums go, at most to when it was set; {_DAYS}"),
        LIMIT,
    ),
    run=_run,
)
