"""Wishes: what the operator may do to revops, to sling and to the node, drawn by chance."""

import contextlib
from typing import Any, Final

from e2e.happenings import POINTS
from e2e.life import Life
from e2e.strikes import Fuse
from e2e.thirsty import CHUNK
from fakes import HangUpError, RpcRefusalError

from revops.core.option import ConfigError
from revops.shell.commands.command import CommandError, NotDoneError


def the_operator_wishes(life: Life) -> str:
    """
    An option is changed.
    """
    name, text = life.chance.choice(
        (
            ("daily_budget_sats", life.chance.choice(("0", "300", "900", "2000", "5000"))),
            ("daily_budget_sats", life.chance.choice(("0", "300", "900", "2000", "5000"))),
            ("weekly_budget_sats", life.chance.choice(("0", "6000", "9000"))),
            ("paused", life.chance.choice(("true", "false"))),
            ("authority", life.chance.choice(("fees", "liquidity", "liquidity"))),
            ("rebalancer", life.chance.choice(("none", "sling", "sling"))),
            ("dry_run", life.chance.choice(("true", "false"))),
            ("rebalance_chunk", life.chance.choice(("50000", "100000"))),
            ("max_concurrent_jobs", life.chance.choice(("1", "5"))),
        )
    )
    with contextlib.suppress(ConfigError):
        life.office.configure(**{name: text})
    return f"{name}={text}"


def the_operator_relents(life: Life) -> str:
    """
    What kept revops from rebalancing is taken back.
    """
    life.office.configure(paused="false", authority="liquidity", dry_run="false")
    life.office.configure(rebalancer="sling")
    return ""


def the_operator_orders(life: Life) -> str:
    """
    By revenue-rebalance; the plugin may be killed over it.
    """
    source, target = life.pair()
    sats = life.chance.choice((30_000, 100_000, 250_000, 600_000))
    force = life.chance.random() < 0.7

    def order() -> None:
        with contextlib.suppress(CommandError, NotDoneError):
            life.office.call("revenue-rebalance", source, target, sats, force=force)

    if life.chance.random() < 0.2:
        life.office.fuse = Fuse(life.chance.choice(POINTS), 0)
    told = life.work(order)
    return f"{sats} sat from {source} to {target}: {told}"


def the_operator_stops(life: Life) -> str:
    """
    By revenue-jobs.
    """
    opened = life.audit.opened()
    if not opened:
        return "nothing"
    number = life.chance.choice(opened).number
    life.office.call("revenue-jobs", "stop", number)
    return str(number)


def the_operator_clears(life: Life) -> str:
    """
    By revenue-clear-reservations.
    """

    def clear() -> None:
        with contextlib.suppress(NotDoneError):
            life.office.call("revenue-clear-reservations")

    return life.work(clear)


def the_operator_ends_ours(life: Life) -> str:
    """
    Past revops, by sling itself.
    """
    opened = life.audit.opened()
    if not opened or not life.sling.there:
        return "nothing"
    scid = life.chance.choice(opened).scid
    method, key = life.chance.choice((("sling-stop", "scid"), ("sling-deletejob", "job")))
    _by_hand(life, method, {key: scid})
    life.audit.jobs = dict(life.sling.jobs)
    return f"{method} {scid}"


def the_operator_uses_sling(life: Life) -> str:
    """
    For a job, or once.
    """
    if not life.sling.there:
        return "it is not there"
    source, scid = life.pair()
    order = {
        "scid": scid,
        "direction": "pull",
        "amount": life.chance.choice((20_000, 100_000)),
        "maxppm": life.chance.choice((1, 500)),
        "candidates": [source],
        "depleteuptopercent": 0.1,
        "depleteuptoamount": 1000,
    }
    if life.chance.random() < 0.5:
        _by_hand(life, "sling-once", order | {"onceamount": order["amount"] * 2})
        life.audit.onces.add(scid)
        return f"once {source} to {scid}"
    _by_hand(life, "sling-job", order)
    _by_hand(life, "sling-go", {"scid": scid})
    life.audit.jobs = dict(life.sling.jobs)
    return f"job {source} to {scid}: {sorted(life.audit.jobs)}"


def the_operator_forgets_jobs(life: Life) -> str:
    """
    All that they keep in sling.
    """
    for scid in sorted(life.audit.jobs) if life.sling.there else ():
        _by_hand(life, "sling-deletejob", {"job": scid})
    life.audit.jobs = dict(life.sling.jobs)
    return str(sorted(life.audit.jobs))


def _by_hand(life: Life, method: str, params: dict[str, Any]) -> None:
    if life.sling.now < life.sling.lock_held_until:
        return  # nobody waits for hours
    # Who starts something in the very second in which something else was stopped on that channel,
    # has sling go on with that as well.
    life.office.pass_by(2)
    waited, life.sling.patience_s = life.sling.patience_s, life.sling.timeout_s + 10
    with contextlib.suppress(RpcRefusalError, HangUpError):
        life.node.answer(method, params)
    life.sling.patience_s = waited


def the_operator_pays_in_circles(life: Life) -> str:
    """
    By hand, now and then what nobody could tell from a payment of ours.
    """
    source, target = life.pair()
    amount, fee = life.chance.choice((7_000_000, 7_000_000, CHUNK)), life.chance.randrange(1, 9999)
    giver, taker = life.node.channel(source), life.node.channel(target)
    if giver["spendable_msat"] < amount + fee or taker["receivable_msat"] < amount:
        return "not"
    name = life.node.books.pay(
        source, target, amount, at=life.office.clock.now(), fee=fee, name=f"hand {life.fresh()}"
    )
    giver["spendable_msat"] -= amount + fee
    taker["receivable_msat"] -= amount
    ends = (giver["channel_id"], taker["channel_id"])
    life.audit.by_hand[name] = (*ends, amount, fee)
    return f"{amount // 1000} sat from {source} to {target}"


WISHES: Final = {
    the_operator_wishes: 8,
    the_operator_relents: 5,
    the_operator_orders: 6,
    the_operator_stops: 4,
    the_operator_clears: 3,
    the_operator_ends_ours: 5,
    the_operator_uses_sling: 5,
    the_operator_forgets_jobs: 4,
    the_operator_pays_in_circles: 5,
}
