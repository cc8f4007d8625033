"""Reasoning: how a decision is told: what decided it, step by step, and what would change it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

from revops.core.actions import Hold, SetFee, StartRebalance, StopRebalance, assert_never
from revops.core.config import Config, option_named
from revops.core.levers import REMEDIES, Kind, Lever
from revops.core.plan import Decision, decisive
from revops.core.policy import Policy
from revops.core.reasons import Code, Reason, sentence
from revops.core.units import Msat, sats_up
from revops.shell.commands.command import Answer
from revops.shell.commands.money import earned

_AS_WANTED: Final = (Code.UNCHANGED, Code.DEAD_BAND)


def told(decision: Decision, config: Config, policy: Policy) -> Answer:
    """
    Return *decision* with what would change it, under the *config* and *policy* that hold now.
    """
    remedy = REMEDIES[decisive(decision).code]
    return {
        **said(decision),
        "change": [_change(lever, decision, config, policy) for lever in remedy.levers],
        "waits_for": remedy.waits_for or None,
        "steps": [step(reason) for reason in decision.trail],
    }


def said(decision: Decision) -> Answer:
    """
    Return what *decision* is to do, and the step that made the difference.
    """
    reason = decisive(decision)
    return {
        **_doing(decision),
        "because": {"code": reason.code.value, "text": sentence(reason)},
    }


def bearing(decision: Decision) -> Literal["changes", "held", "as wanted"]:
    """
    Return in a word how the price in force bears to the one that is wanted: it changes, it is
    held, or there is nothing worth an update.
    """
    if not isinstance(decision.action, Hold):
        return "changes"
    return "as wanted" if decision.trail[-1].code in _AS_WANTED else "held"


def step(reason: Reason) -> Answer:
    """
    Return one step of a trail.
    """
    return {
        "code": reason.code.value,
        "text": sentence(reason),
        "before_ppm": reason.before,
        "after_ppm": reason.after,
        "facts": dict(reason.facts),
        "settings": settings(reason),
    }


def settings(reason: Reason) -> list[str]:
    """
    Return the names of what would change *reason*, the most direct first.
    """
    return [str(lever) for lever in REMEDIES[reason.code].levers]


def all_held(config: Config) -> list[Answer]:
    """
    Return what keeps every price as it is, whatever is decided; empty when nothing does.
    """
    holding = (
        (config.paused, "paused", "paused is set: no price is changed"),
        (
            config.authority == "observe",
            "authority",
            "authority is observe: revops watches and changes nothing",
        ),
        (config.dry_run, "dry-run", "dry-run is set: prices are decided and written down, not set"),
    )
    return _holding(holding, config)


def nothing_moves(config: Config) -> list[Answer]:
    """
    Return what keeps every rebalance from being begun; empty when nothing does.
    """
    holding = (
        (config.rebalancer == "none", "rebalancer", "rebalancer is none: no liquidity is moved"),
        (
            config.authority != "liquidity",
            "authority",
            f"authority is {config.authority}: liquidity is not moved",
        ),
        (config.paused, "paused", "paused is set: no rebalance is started"),
        (
            config.dry_run,
            "dry-run",
            "dry-run is set: rebalances are decided and written down, not begun",
        ),
    )
    return _holding(holding, config)


def refused_by(decisions: Iterable[Decision]) -> list[Answer]:
    """
    Return what keeps channels that are short from being filled, the most frequent first.
    """
    reasons = [decisive(decision) for decision in decisions if _is_refused(decision)]
    examples = {reason.code: reason for reason in reversed(reasons)}
    counts = Counter(reason.code for reason in reasons)
    return [
        {"code": code.value, "count": count, "text": sentence(examples[code])}
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _is_refused(decision: Decision) -> bool:
    short = any(reason.code is Code.SHORT for reason in decision.trail)
    return short and not isinstance(decision.action, StartRebalance)


def _holding(rules: Iterable[tuple[bool, str, str]], config: Config) -> list[Answer]:
    return [
        {"text": text, "setting": name, **_option(name, config)}
        for holds, name, text in rules
        if holds
    ]


def _change(lever: Lever, decision: Decision, config: Config, policy: Policy) -> Answer:
    return {"setting": str(lever), **_way(lever, decision, config, policy)}


def _way(lever: Lever, decision: Decision, config: Config, policy: Policy) -> Answer:  # noqa: RET503 -- assert_never does not return
    match lever.kind:
        case Kind.OPTION:
            return _option(lever.name, config)
        case Kind.POLICY:
            now = getattr(policy, lever.name)
            how = f"revenue-policy -k action=set peer_id={decision.peer_id} {lever.name}=VALUE"
            return {"now": getattr(now, "value", now), "how": how}
        case Kind.COMMAND:
            how = lever.name
            scid = decision.scid or "SCID"
            if how == "revenue-set-fee":
                # For 0 hours revops goes on from there, so that it also ends a pin.
                how += f" -k scid={scid} ppm=PPM hours=HOURS"
            elif how == "revenue-rebalance":
                how += f" -k from=SCID to={scid} amount_sats=SATS"
            return {"now": None, "how": how}
        case _:
            assert_never(lever.kind)


def _option(name: str, config: Config) -> Answer:
    option = option_named(name)
    now = getattr(config, name.replace("-", "_"))
    if option.kind is bool:
        return {"now": now, "how": f"revenue-config set {name} {option.format(not now)}"}
    unit = f" ({option.unit})" if option.unit else ""
    how = f"revenue-config set {name} VALUE, {option.expectation()}{unit}"
    return {"now": now, "how": how}


def _cost(name: str, amount: Msat) -> Answer:
    return {f"{name}_sats": sats_up(amount), f"{name}_msat": amount}


def _doing(decision: Decision) -> Answer:  # noqa: RET503 -- assert_never does not return
    action = decision.action
    match action:
        case SetFee():
            return {
                "do": "set_fee",
                "old_fee_ppm": action.old_ppm,
                "new_fee_ppm": action.new_ppm,
                "old_base_fee_msat": action.old_base_msat,
                "new_base_fee_msat": action.new_base_msat,
                "htlc_maximum_msat": action.htlc_max_msat,
            }
        case StartRebalance():
            return {
                "do": "start_rebalance",
                "sources": [source.scid for source in action.sources],
                **earned("amount", action.amount_msat),
                **earned("chunk", action.chunk_msat),
                "max_ppm": action.max_ppm,
                **_cost("max_fee", action.max_fee_msat),
                **_cost("expected_fee", action.expected_fee_msat),
            }
        case StopRebalance():
            return {"do": "stop_rebalance", "rebalance_id": action.rebalance_id}
        case Hold():
            price = {"fee_ppm": decision.trail[-1].after} if decision.area == "fee" else {}
            return {"do": "hold", **price}
        case _:
            assert_never(action)
