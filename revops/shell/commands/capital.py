"""Capital: what rebalancing may spend, what it is at, and whether it can, as commands tell it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from revops.core import budget
from revops.core.actions import StartRebalance
from revops.core.outcomes import Refused, Started, Unknown
from revops.core.reasons import Code, sentence
from revops.core.rebalance.watch import DEADLINE_S
from revops.core.treasury import Job, Treasury
from revops.core.units import HOUR, ChannelId, Msat, Scid, sats_up
from revops.shell.commands.command import Answer
from revops.shell.commands.money import earned
from revops.shell.commands.reasoning import refused_by, step

if TYPE_CHECKING:
    from revops.adapters.store import Logged
    from revops.shell.app import App
    from revops.shell.rebalancing.money import Moved

_UNUSABLE: Final = frozenset(
    {Code.NO_REBALANCER, Code.ENGINE_ABSENT, Code.ENGINE_OLD, Code.ENGINE_TROUBLE}
)


def cost(name: str, amount: Msat) -> Answer:
    """
    Return what something costs, or may: sats for people, rounded up, and msat.
    """
    return {f"{name}_sats": sats_up(amount), f"{name}_msat": amount}


def known_treasury(app: "App") -> Treasury | None:
    """
    Return what the last look of rebalancing found beside the channels; `None` before the first.
    """
    return app.money.last.snapshot.treasury if app.money.last else None


# What it may spend ----------------------------------------------------------------------------


def limits_now(app: "App") -> budget.Limits:
    """
    Return the limits under the options of this moment, with what was earned by the last look.
    """
    treasury = known_treasury(app) or Treasury()
    return budget.limits(app.settings.config, treasury.revenue_day_msat, treasury.revenue_week_msat)


def budget_of(app: "App") -> Answer:
    """
    Return what may be spent, what was and what is held, now.
    """
    most, spent = limits_now(app), app.store.treasury.spending(app.clock.now())
    return {
        **cost("daily_budget", most.day_msat),
        **cost("weekly_budget", most.week_msat),
        **cost("daily_spent", spent.day_msat),
        **cost("weekly_spent", spent.week_msat),
        **cost("reserved", spent.held_msat),
        **earned("budget_remaining", budget.room(spent, most)),
    }


# What it is at --------------------------------------------------------------------------------


def running(app: "App") -> list[Answer]:
    """
    Return a row for each rebalance whose money is not settled, the first one first.
    """
    names = _names(app)
    words = {job.scid: job.words for job in listed(app) if job.progress}
    return [
        {
            **_row(logged, names),
            "state": logged.attempt.state.value,
            "deadline": logged.attempt.at + DEADLINE_S,
            **cost("reserved", logged.attempt.limit_msat),
            "stopping": logged.stopping,
            "sling": words.get(logged.scid),
        }
        for logged in app.store.treasury.open()
    ]


def listed(app: "App") -> tuple[Job, ...]:
    """
    Return what sling was at when it was asked last: our doing or somebody else's.
    """
    treasury = known_treasury(app)
    engine = app.money.jobs.seen or (treasury.engine if treasury else None)
    return (engine.jobs if engine else None) or ()


def recent(app: "App", limit: int) -> list[Answer]:
    """
    Return a row for each of the last *limit* rebalances, the latest first.
    """
    names = _names(app)
    return [_recent(logged, names) for logged in app.store.treasury.recent(limit)]


def last_of(app: "App", channel_id: ChannelId) -> Answer | None:
    """
    Return the last rebalance that was to fill a channel, with why it was decided.
    """
    logged = app.store.treasury.last(channel_id)
    if logged is None:
        return None
    why = [step(reason) for reason in app.store.treasury.why(logged)]
    return {**_recent(logged, _names(app)), "steps": why}


def _recent(logged: "Logged", names: Mapping[ChannelId, Scid]) -> Answer:
    attempt = logged.attempt
    return {
        **_row(logged, names),
        "status": attempt.ending.value if attempt.ending else attempt.state.value,
        **cost("max_fee", attempt.limit_msat),
        "ended_at": attempt.ended_at,
        "why": logged.why,
    }


def _row(logged: "Logged", names: Mapping[ChannelId, Scid]) -> Answer:
    attempt = logged.attempt
    return {
        "rebalance_id": attempt.rebalance_id,
        "at": attempt.at,
        "to_channel": logged.scid,
        "peer_id": attempt.to_peer,
        "from_channels": [names.get(source, source) for source in attempt.from_channels],
        "ordered": attempt.ordered,
        **earned("amount", attempt.amount_msat),
        **earned("moved", attempt.moved_msat),
        **cost("spent", attempt.fee_msat),
    }


def _names(app: "App") -> Mapping[ChannelId, Scid]:
    last = app.money.last
    channels = last.snapshot.channels if last else ()
    return {channel.channel_id: channel.scid for channel in channels if channel.scid}


# Whether it can -------------------------------------------------------------------------------


def sling(app: "App") -> Answer:
    """
    Return whether sling is there and trusted with money, as the last look found it.
    """
    treasury = known_treasury(app)
    engine = treasury.engine if treasury else None
    why_not = _why_not(app)
    return {
        "version": engine.version if engine else None,
        "ok": why_not is None,
        "why_not": why_not,
    }


def _why_not(app: "App") -> str | None:
    last = app.money.last
    if last is None:
        return "it was not looked at yet since the start"
    reasons = last.plan.node_trail
    return next((sentence(reason) for reason in reasons if reason.code in _UNUSABLE), None)


# How it is doing ------------------------------------------------------------------------------


def cycled(last: "Moved") -> Answer:
    """
    Return what the last cycle of rebalancing came to.
    """
    starts = [d for d in last.plan.decisions if isinstance(d.action, StartRebalance)]
    return {
        "at": last.plan.at,
        "to_start": len(starts),
        "begun": sum(isinstance(outcome, Started) for _, outcome in last.done),
        "refused": refused_by(last.plan.decisions),
        "problems": list(last.problems),
        "node": [sentence(reason) for reason in last.plan.node_trail],
    }


def moving(app: "App") -> str:
    """
    Return in a few words what is being moved, or that nothing can be; empty where nothing is to be
    said about it.
    """
    config, opened = app.settings.config, len(app.store.treasury.open())
    if opened:
        return f", rebalances open: {opened}"
    wanted = config.rebalancer != "none" and config.authority == "liquidity"
    why_not = _why_not(app) if wanted and app.money.last else None
    return f"; nothing is refilled: {why_not}" if why_not else ""


def troubles(app: "App") -> list[str]:
    """
    Return what is wrong with the money of rebalancing, a sentence each.
    """
    return [*_in_doubt(app), *_of_last(app.money.last)]


def _in_doubt(app: "App") -> Iterator[str]:
    for logged in app.store.treasury.open():
        attempt = logged.attempt
        if app.clock.now() > attempt.at + DEADLINE_S + HOUR:
            yield (
                f"rebalance {attempt.rebalance_id} of {logged.scid}: what it cost is not known yet,"
                f" and {sats_up(attempt.limit_msat)} sat stay reserved"
            )


def _of_last(last: "Moved | None") -> Iterator[str]:
    if last is None:
        return
    yield from last.problems
    failed = [o.error for _, o in last.done if isinstance(o, (Refused, Unknown))]
    if failed:
        yield f"{len(failed)} rebalances could not be begun: {failed[0]}"
    yield from (sentence(r) for r in last.plan.node_trail if r.code is Code.LOSING)
