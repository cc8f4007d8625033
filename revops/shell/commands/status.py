"""revenue-status: whether all is well, what is held and why, and how each channel was seen."""

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import attrs

from revops import __version__
from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.fees.gossip import channel_budget, node_budget
from revops.core.memory import Change, Pin
from revops.core.outcomes import Refused, Unknown
from revops.core.reasons import sentence
from revops.core.units import DAY, HOUR, MINUTE, Instant
from revops.shell.commands import capital, hive_status, ignoring, shadowing
from revops.shell.commands.command import Answer, Argument, Command, Given, whole
from revops.shell.commands.imported import brief
from revops.shell.commands.seen import Seen, seen_in

if TYPE_CHECKING:
    from revops.adapters.store import FeeChange
    from revops.shell.app import App
    from revops.shell.cycle import Cycled

_RECENT: Final = 10
_FEW: Final = 5
_MOST_ROWS: Final = 1_000_000


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-status`.
    """
    limit = whole("limit", given.get("limit", _MOST_ROWS), 0, _MOST_ROWS)
    config, last, now = app.settings.config, app.cycle.last, app.clock.now()
    seen = seen_in(last) if last else Seen()
    troubles = list(dict.fromkeys(_troubles(app, last)))
    doing = _doing(last, seen, now) + capital.moving(app) + shadowing.in_a_line(app)
    return {
        "status": "running",
        "summary": _summary(_mode(config), doing, troubles),
        "troubles": troubles,
        "version": __version__,
        "mode": _mode(config),
        "authority": config.authority,
        "dry_run": config.dry_run,
        "paused": config.paused,
        "config": {
            **attrs.asdict(config),
            "fee_range_ppm": [config.min_fee_ppm, config.max_fee_ppm],
        },
        "loops": [attrs.asdict(loop) for loop in app.worker.states()],
        "rpc": [attrs.asdict(circuit) for circuit in app.breaker.states()],
        "last_cycle": _told(last) if last else None,
        "held": seen.held,
        "pins": _pins(app, last, seen, now) if last else [],
        "gossip": _gossip(seen, config, now) if last else None,
        "channels": seen.states,
        "channel_states": seen.rows[:limit],
        "forwards": _forwards(app),
        "recent_fee_changes": [_change(change) for change in app.store.fee_changes(_RECENT)],
        **_capital(app),
        "shadow": shadowing.status(app),
        "neighbours": {"clboss": ignoring.status(app), "hive": hive_status.status(app)},
        "prometheus": _prometheus(app),
        "db": {
            "path": str(app.store.path),
            "schema": app.store.schema_version(),
            "size_bytes": app.store.size_bytes(),
            "imported": brief(imported) if (imported := app.store.imports.report()) else None,
        },
    }


def _capital(app: "App") -> Answer:
    return {
        "recent_rebalances": capital.recent(app, _RECENT),
        "jobs": capital.running(app),
        "sling": capital.sling(app),
        "budget": capital.budget_of(app),
        "last_money_cycle": capital.cycled(app.money.last) if app.money.last else None,
    }


def _prometheus(app: "App") -> Answer:
    exporter = app.exporter
    return {
        "url": exporter.url,
        "why_not": exporter.trouble or None,
        "warning": exporter.warning,
    }


def _mode(config: Config) -> str:
    if config.paused:
        return "paused"
    return "dry-run" if config.dry_run else "live"


# Whether all is well --------------------------------------------------------------------------


def _troubles(app: "App", last: "Cycled | None") -> list[str]:
    troubles = capital.troubles(app) + hive_status.troubles(app)
    for loop in app.worker.states():
        if loop.stalled:
            troubles.append(f"{loop.name}: no run has succeeded for three intervals")
        if loop.failing:
            troubles.append(f"{loop.name}: {loop.last_error}")
    if last:
        troubles += last.problems
        overruled = app.cycle.performer.ordered
        failed = [
            outcome.error
            for entry, outcome in last.done
            if isinstance(outcome, (Refused, Unknown))
            and isinstance(entry.action, SetFee)
            and entry.action.channel_id not in overruled
        ]
        if failed:
            troubles.append(f"{len(failed)} prices could not be set: {failed[0]}")
    if app.exporter.trouble:
        troubles.append(f"metrics are not served: {app.exporter.trouble}")
    return troubles + shadowing.troubles(app)


def _doing(last: "Cycled | None", seen: Seen, now: Instant) -> str:
    if last is None:
        return "no cycle yet since the start; the first comes with a block"
    return (
        f"{len(seen.rows)} channels {_ago(now - last.plan.at)} ago:"
        f" {seen.bearings['changes']} prices to change, {seen.bearings['as wanted']} as wanted,"
        f" {seen.bearings['held']} held"
    )


def _summary(mode: str, doing: str, troubles: list[str]) -> str:
    if not troubles:
        return f"{mode}: {doing}; nothing is wrong"
    more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
    return f"WRONG: {troubles[0]}{more}; {mode}: {doing}"


def _ago(seconds: int) -> str:
    for unit, size in (("days", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _told(last: "Cycled") -> Answer:
    return {
        "at": last.plan.at,
        "blockheight": last.snapshot.node.blockheight,
        "channels": len(last.plan.decisions),
        "actions": len(last.done),
        "problems": list(last.problems),
        "node": [sentence(reason) for reason in last.plan.node_trail],
    }


def _forwards(app: "App") -> Answer:
    forwards = app.cycle.observer.forwards
    return {
        **attrs.asdict(app.store.books()),
        "behind": forwards.behind,
        "notice": forwards.notice,
        "latest_quarantined": [attrs.asdict(row) for row in app.store.upkeep.quarantined(_FEW)],
    }


# What may still go out ------------------------------------------------------------------------


def _pins(app: "App", last: "Cycled", seen: Seen, now: Instant) -> list[Answer]:
    """
    Return the prices that revops leaves alone because a person or another tool set them.
    """
    pins, ordered = dict(seen.pins), app.cycle.performer.ordered
    # A look into the books takes long beside a cycle that computes.
    for order in app.store.pins(now) if ordered else ():
        if order.channel_id in ordered:
            pins[order.channel_id] = Pin(price=order.price, until=order.until, ordered=True)
    rows = [
        {
            "scid": decision.scid,
            "fee_ppm": pin.price.fee_ppm,
            "until": pin.until,
            "set_by": "revenue-set-fee" if pin.ordered else "somebody else",
        }
        for decision in last.plan.decisions
        if (pin := pins.get(decision.channel_id)) and pin.until > now
    ]
    return sorted(rows, key=itemgetter("until"))


def _gossip(seen: Seen, config: Config, now: Instant) -> Answer:
    updates = [change for changes in seen.updates for change in changes]
    daily = channel_budget(config, urgent=False)
    return {
        "node_per_hour": _budget(updates, config, now, urgent=False),
        "node_reserve_per_hour": _budget(updates, config, now, urgent=True),
        "channels_at_daily_limit": sum(
            sum(change.at > now - DAY and not change.urgent for change in changes) >= daily
            for changes in seen.updates
        ),
        "waiting": len(seen.waiting),
        "next_free_at": min(seen.waiting, default=None),
    }


def _budget(updates: Iterable[Change], config: Config, now: Instant, *, urgent: bool) -> Answer:
    used = sum(change.at > now - HOUR and change.urgent is urgent for change in updates)
    return {"used": used, "left": max(0, node_budget(config, urgent=urgent) - used)}


def _change(change: "FeeChange") -> Answer:
    return {
        "at": change.at,
        "channel_id": change.scid,
        "peer_id": change.peer_id,
        "old_fee_ppm": change.old_ppm,
        "new_fee_ppm": change.new_ppm,
        "reason": "; ".join(sentence(reason) for reason in change.trail),
    }


COMMAND = Command(
    name="revenue-status",
    help="Show whether all is well, what is held and why, and how each channel was last seen.",
    arguments=(Argument("limit", "at most so many channel_states; all when it is left out"),),
    run=run,
    examples=("revenue-status", "revenue-status 5"),
)
