"""revenue-profitability: what each channel is worth over its life, and what it is called for it."""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from revops.core.ledger import Account
from revops.core.profit import Assessment, FlowProfile, ProfitClass
from revops.core.units import DAY, ChannelId, Instant, Ppm, sats_down
from revops.shell.commands.command import Answer, Argument, Command, CommandError, Given
from revops.shell.commands.money import (
    earned,
    name_of,
    percent,
    rows_wanted,
    spent,
    told,
    window_of,
)
from revops.shell.readings import Reading

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-profitability`.
    """
    limit = rows_wanted(given)
    reading = app.readings.lately(app.clock.now())
    fees = _fees(app)
    if "channel_id" in given:
        return _one(_chosen(reading, given["channel_id"]), reading, fees)
    held = [a for a in reading.assessments if a.account.closed_at is None]
    held.sort(key=lambda a: (-a.life.net_msat, a.account.channel_id))
    classes: dict[str, list[Assessment]] = defaultdict(list)
    for assessment in held:
        classes[assessment.profit_class.value].append(assessment)
    return {
        "summary": _summary(held, reading),
        "window": window_of(reading),
        "channels_total": len(held),
        "channels": [_row(assessment, reading, fees) for assessment in held[:limit]],
        "channels_by_class": {
            name: [_short(assessment, reading) for assessment in classes[name]]
            for name in sorted(classes)
        },
    }


def _fees(app: "App") -> dict[ChannelId, Ppm]:
    last = app.cycle.last
    return {c.channel_id: c.fee_ppm for c in last.snapshot.channels} if last else {}


def _chosen(reading: Reading, subject: object) -> Assessment:
    for assessment in reading.assessments:
        if subject in (assessment.account.scid, assessment.account.channel_id):
            return assessment
    msg = f"channel_id: expected a channel that we have or had, got {subject!r}"
    raise CommandError(msg)


# All of them ----------------------------------------------------------------------------------


def _summary(held: list[Assessment], reading: Reading) -> Answer:
    """
    Return what the open channels come to, and the node with all it ever had.
    """
    life, node = reading.open, reading.lifetime
    classes = Counter(a.profit_class for a in held)
    profiles = Counter(a.flow_profile for a in held)
    return {
        "total_channels": len(held),
        **{f"{kind.value}_count": classes[kind] for kind in ProfitClass},
        # What the predecessor called a stagnant one.
        "stagnant_candidate_count": classes[ProfitClass.STAGNANT],
        **earned("total_profit", life.net_msat),
        **earned("total_revenue", life.earned_msat),
        # What entered here was earned elsewhere: the node has it once.
        **earned("total_contribution", life.earned_msat),
        **spent("total_costs", life.costs),
        "overall_roi_pct": percent(life.roi),
        "flow_profiles": {
            f"{profile.value}_count": profiles[profile]
            for profile in sorted(FlowProfile, key=lambda p: p.value)
        },
        "bleeder_count": sum(a.bleeding is True for a in held),
        "node": told(node),
    }


def _row(assessment: Assessment, reading: Reading, fees: dict[ChannelId, Ppm]) -> Answer:
    account, life = assessment.account, assessment.life
    return {
        "channel_id": name_of(account),
        "peer_id": account.peer_id,
        **earned("capacity", account.capacity_msat),
        "our_fee_ppm": fees.get(account.channel_id),
        "profitability_class": assessment.profit_class.value,
        "classification": assessment.profit_class.value,
        "role": assessment.role.value,
        "flow_profile": assessment.flow_profile.value,
        **earned("net_profit", life.net_msat),
        **earned("earned", life.earned_msat),
        **earned("sourced", life.sourced_msat),
        **spent("costs", life.costs),
        "roi_percentage": percent(life.roi),
        "roi_annual_pct": percent(assessment.roc),
        "marginal_roi_pct": percent(assessment.marginal_roi),
        "bleeding": assessment.bleeding,
        "days_active": _days(account, reading.ledger.now),
        "estimated": bool(life.costs.estimated_msat),
        "unknown_costs": life.costs.unknown,
    }


def _short(assessment: Assessment, reading: Reading) -> Answer:
    return {
        "channel_id": name_of(assessment.account),
        "net_profit_sats": sats_down(assessment.life.net_msat),
        "roi_percentage": percent(assessment.life.roi),
        "days_active": _days(assessment.account, reading.ledger.now),
        "flow_profile": assessment.flow_profile.value,
    }


def _days(account: Account, now: Instant) -> float | None:
    if account.opened_at is None:
        return None
    return round(max(0, (account.closed_at or now) - account.opened_at) / DAY, 1)


# One of them ----------------------------------------------------------------------------------


def _one(assessment: Assessment, reading: Reading, fees: dict[ChannelId, Ppm]) -> Answer:
    account, life = assessment.account, assessment.life
    return {
        "channel_id": name_of(account),
        "profitability": {
            **_row(assessment, reading, fees),
            "opened_at": account.opened_at,
            "closed_at": account.closed_at,
            "last_forward_at": account.last_value_at,
            **spent("total_costs", life.costs),
            **earned("total_contribution", life.value_msat),
            **earned("total_revenue", life.earned_msat),
            **earned("volume_routed", life.out_msat),
            "forward_count": life.out_count,
            # Profit bends no price; what refills cost is a floor of it.
            "fee_multiplier": 1.0,
            "outbound_flow": {
                "payment_count": life.out_count,
                **earned("volume", life.out_msat),
                **earned("revenue_earned", life.earned_msat),
            },
            "inbound_flow": {
                "payment_count": life.in_count,
                **earned("volume", life.in_msat),
                **earned("contribution_to_other_channels", life.sourced_msat),
            },
            "inbound_outbound_ratio": _ratio(account),
            "books_hold_all_of_its_life": assessment.whole_life,
        },
        "life": told(life),
        "window": {**window_of(reading), **told(assessment.window)},
    }


def _ratio(account: Account) -> float | str | None:
    into, out = account.life.in_msat, account.life.out_msat
    if not out:
        return "infinite" if into else None
    return round(into / out, 4)


COMMAND = Command(
    name="revenue-profitability",
    help="Show what every open channel is worth over its life: classes, returns, roles. With a"
    " channel, open or closed, all about that one. Roles and marginal returns are of the last 30"
    " days.",
    arguments=(
        Argument("channel_id", "the channel, by its short channel id or channel id; all open ones"),
        Argument("limit", "at most so many channels in full, the most profitable first; 100"),
    ),
    run=run,
    examples=("revenue-profitability", "revenue-profitability -k limit=5"),
)
