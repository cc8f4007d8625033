"""revenue-rebalance-debug: what a cycle would move now, what not and why; nothing is begun."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from revops.core.actions import StartRebalance
from revops.core.config import Config
from revops.core.plan import Decision, RebalancePlan, decisive
from revops.core.policy import DEFAULT, in_force
from revops.core.reasons import Code, Reason, sentence
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import NORMAL, Channel, Snapshot
from revops.core.treasury import Treasury
from revops.core.units import Msat, sats_down
from revops.shell.commands.capital import budget_of, running, sling
from revops.shell.commands.command import Answer, Argument, Command, Given, whole
from revops.shell.commands.look import chosen, last_money_look, money_now
from revops.shell.commands.reasoning import nothing_moves, refused_by, step, told

if TYPE_CHECKING:
    from revops.shell.app import App

_ROWS: Final = 50
_MOST_ROWS: Final = 1_000_000
_LEFT_OUT: Final = "what happened since the last look: payments, balances, what sling is at"


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-rebalance-debug`.
    """
    limit = whole("limit", given.get("limit", _ROWS), 0, _MOST_ROWS)
    last, config = last_money_look(app), app.settings.config
    asked_for = {c.channel_id for c in chosen(last.snapshot.channels, given.get("channel"))}
    seen = money_now(app, last)
    # Of all channels, whoever was asked for: they vie for the same money, slots and givers.
    plan = rebalance(seen, config)
    decisions = [d for d in plan.decisions if d.channel_id in asked_for]
    health = sling(app)
    return {
        "timestamp": seen.now,
        "looked_at": last.plan.at,
        "look_age_s": seen.now - last.plan.at,
        "left_out": [_LEFT_OUT],
        "all_held": nothing_moves(config),
        "sling_available": health["ok"],
        "sling": health,
        "dry_run": config.dry_run,
        "capital_controls": _controls(app, seen, plan),
        "thresholds": _thresholds(config),
        "node": [step(reason) for reason in plan.node_trail],
        "candidates": _candidates(decisions)[:limit],
        "rejection_reasons": refused_by(decisions),
        "channels": _channels(app, seen, decisions, config, limit),
    }


# The node -------------------------------------------------------------------------------------


def _controls(app: "App", seen: Snapshot, plan: RebalancePlan) -> Answer:
    config, treasury = app.settings.config, seen.treasury or Treasury()
    ours = Msat(sum(c.to_us_msat for c in seen.channels if c.state == NORMAL))
    onchain = seen.onchain_msat
    codes = {reason.code for reason in plan.node_trail}
    ended = [attempt for attempt in treasury.attempts if not attempt.open]
    good = sum(attempt.moved_msat > 0 for attempt in ended)
    return {
        "onchain_sats": None if onchain is None else sats_down(onchain),
        "channel_sats": sats_down(ours),
        "total_liquid_sats": None if onchain is None else sats_down(Msat(onchain + ours)),
        "wallet_reserve_sats": config.min_wallet_reserve,
        "reserve_ok": not codes & {Code.RESERVE_LOW, Code.RESERVE_UNKNOWN},
        **budget_of(app),
        "budget_ok": not codes & {Code.BUDGET_SPENT, Code.SPENDING_UNKNOWN},
        "stop_on_loss": bool(codes & {Code.LOSING, Code.PROFIT_UNKNOWN}),
        "job_count": sum(attempt.open for attempt in treasury.attempts),
        "max_concurrent_jobs": 1 if treasury.one_at_a_time else config.max_concurrent_jobs,
        "success_count": good,
        "success_rate": round(good / len(ended), 4) if ended else None,
    }


def _thresholds(config: Config) -> Answer:
    return {
        "low_liquidity_threshold": config.low_liquidity_threshold,
        "high_liquidity_threshold": config.high_liquidity_threshold,
        "rebalance_min_profit_sats": config.rebalance_min_profit,
        "rebalance_min_profit_ppm": config.rebalance_min_profit_ppm,
        "rebalance_min_amount_sats": config.rebalance_min_amount,
        "rebalance_max_ppm": config.rebalance_max_ppm,
    }


# The channels ---------------------------------------------------------------------------------


def terms_of(decision: Decision) -> Reason | None:
    """
    Return the best that could be done for a channel, in numbers; `None` where it did not come to
    that.
    """
    return next((reason for reason in decision.trail if reason.code is Code.PAIR), None)


def _candidates(decisions: Iterable[Decision]) -> list[Answer]:
    """
    Return the refills that were worked out, the best first, and whether they start.
    """
    found = [(decision, pair) for decision in decisions if (pair := terms_of(decision))]
    rows = [
        {
            "scid": decision.scid,
            "peer_id": decision.peer_id,
            "starts": isinstance(decision.action, StartRebalance),
            "because": sentence(decisive(decision)),
            **dict(pair.facts),
        }
        for decision, pair in found
    ]
    return sorted(rows, key=lambda row: (not row["starts"], -row["ev_msat"]))


def _channels(
    app: "App", seen: Snapshot, decisions: Sequence[Decision], config: Config, limit: int
) -> Answer:
    """
    Return every channel with what decided about it: those that are short, those that have plenty,
    and those between.
    """
    channels = {channel.channel_id: channel for channel in seen.channels}
    policies = in_force(seen.policies, seen.now)
    rows: dict[str, list[Answer]] = {"depleted": [], "source": [], "between": []}
    for decision in decisions:
        channel = channels[decision.channel_id]
        group = rows[_group(channel, config)]
        if len(group) < limit:
            policy = policies.get(decision.peer_id, DEFAULT)
            group.append(_row(channel, decision) | told(decision, config, policy))
    return {**rows, "active_jobs": running(app)[:limit]}


def _group(channel: Channel, config: Config) -> str:
    share = channel.to_us_msat / channel.capacity_msat
    if share < config.low_liquidity_threshold:
        return "depleted"
    return "source" if share > config.high_liquidity_threshold else "between"


def _row(channel: Channel, decision: Decision) -> Answer:
    starts = isinstance(decision.action, StartRebalance)
    return {
        "scid": channel.scid,
        "peer_id": channel.peer_id,
        "local_pct": round(100 * channel.to_us_msat / channel.capacity_msat, 1),
        "fee_ppm": channel.fee_ppm,
        "skip_reason": None if starts else sentence(decisive(decision)),
    }


COMMAND = Command(
    name="revenue-rebalance-debug",
    help="Show what rebalancing would do now: the money there is for it, every refill that was"
    " worked out with its terms, and for each channel what keeps it from being filled. Nothing is"
    " begun or written.",
    arguments=(
        Argument(
            "channel",
            "a short channel id or channel id, or a peer id; every channel when it is left out",
            aliases=("scid", "channel_id", "peer_id"),
        ),
        Argument("limit", f"at most so many rows of each list, {_ROWS} when it is left out"),
    ),
    run=run,
    examples=("revenue-rebalance-debug", "revenue-rebalance-debug 851370x470x1"),
    slow=True,
)
