"""Happenings: what the plugin, the market, sling and the node may do, drawn by chance."""

from typing import Any, Final

from e2e.life import GIVERS, TARGETS, Life
from e2e.strikes import Fuse
from e2e.thirsty import DAY, HOUR, MINUTE, hang_up
from fake_circular import FAILED, PAID, Fate
from fakes import RpcRefusalError

NODE_CALLS: Final = ("listpeerchannels", "listchannelmoves", "listsendpays", "listfunds", "wait")
SLING_CALLS: Final = (
    *("sling-version", "sling-jobsettings", "sling-stats", "sling-once"),
    *("sling-stop", "sling-deletejob"),
)
POINTS: Final = (
    *(f"{side} {call}" for call in SLING_CALLS[1:] for side in ("before", "after")),
    *("after listchannelmoves", "after listsendpays", "before journal.settle"),
    *(
        f"{side} {work}"
        for work in (
            *("treasury.write_down", "treasury.order", "treasury.began", "treasury.refused"),
            *("treasury.lost", "treasury_end.stop", "treasury_end.settle", "cost_book._take_moves"),
        )
        for side in ("before", "after")
    ),
)
GARBAGE: Final = {
    "sling-stats": ("soon", {"a": 1}, [5], [{"scid": 5}]),
    "sling-jobsettings": ("soon", [], {"x": 5}),
    "sling-version": ("soon", {}, {"version": 5}),
    "sling-once": ("soon", {}, {"result": "maybe"}),
    "listsendpays": ("soon", {}, {"payments": 5}),
    "listchannelmoves": ("soon", [], {"channelmoves": 5}),
    "listpeerchannels": ("soon", {}, {"channels": 5}),
}


# What the plugin does -----------------------------------------------------------------------------


def time_passes(life: Life) -> str:
    """
    The plugin does what is due.
    """
    busy = bool(life.audit.opened())
    minutes = life.chance.choice((1, 1, 1, 2, 3, 15) if busy else (1, 5, 10, 20, 40))
    return life.work(lambda: life.office.live(minutes * MINUTE))


def moments_pass(life: Life) -> str:
    """
    The plugin does nothing yet.
    """
    life.office.pass_by(life.chance.randrange(1, 50))
    return ""


def a_loop_runs(life: Life) -> str:
    """
    Somebody is in a hurry.
    """
    name = life.chance.choice(("rebalance", "rebalance", "jobs", "books", "fees", "forwards"))
    return f"{name}: {life.work(lambda: life.office.app.worker.run_once(name))}"


def it_is_killed(life: Life) -> str:
    """
    In the middle of whatever it does next.
    """
    if life.chance.random() < 0.7:
        life.office.fuse = Fuse(life.chance.choice(POINTS), life.chance.choice((0, 0, 1)))
    else:
        life.office.fuse = Fuse(None, life.chance.randrange(60))
    loop = life.chance.choice(("rebalance", "jobs"))

    def act() -> None:
        life.office.app.worker.run_once(loop)
        life.office.live(life.chance.choice((2, 10)) * MINUTE)

    told = life.work(act)
    return f"{loop}: {told}"


def it_is_restarted(life: Life) -> str:
    """
    Between two steps.
    """
    return life.begin_anew()


# What the market does -----------------------------------------------------------------------------


def channels_sell(life: Life) -> str:
    """
    What was refilled leaves again by forwards, and earns.
    """
    sold = 0
    for channel in (life.channels[scid] for scid in TARGETS):
        giver = max(
            (life.channels[scid] for scid in GIVERS), key=lambda giver: giver["receivable_msat"]
        )
        amount = channel["spendable_msat"] * life.chance.randrange(50, 100) // 100
        amount = min(amount, giver["receivable_msat"] // 2)
        if {channel["state"], giver["state"]} != {"CHANNELD_NORMAL"} or amount <= 0:
            continue
        life.node.forward(
            giver["short_channel_id"], channel["short_channel_id"], amount, life.office.clock.now()
        )
        channel["receivable_msat"] += amount
        giver["spendable_msat"] += amount
        giver["receivable_msat"] -= amount
        sold += amount
    return f"{sold // 1000} sat"


def the_market_moves(life: Life) -> str:
    """
    Routes get dear, cheap, or are none.
    """
    life.sling.usual_ppm = life.chance.choice((1, 50, 100, 100, 300, 700, 2000, None))
    return f"to {life.sling.usual_ppm} ppm"


def payments_fare_otherwise(life: Life) -> str:
    """
    They arrive, fail, take their time, hang, or are written down late.
    """
    share, fate = life.chance.random(), life.chance.choice(_fates(life))
    life.sling.fate = lambda _pair: fate if life.chance.random() < share else PAID
    return f"{share:.0%} {fate}"


def _fates(life: Life) -> tuple[Fate, ...]:
    long = life.chance.choice((100, 130, 200, 600, HOUR, 3 * HOUR))
    short = life.chance.randrange(1, 40)
    return (
        PAID,
        FAILED,
        Fate(arrives_s=short),
        Fate(arrives_s=short, returns_s=short),
        Fate(settles=False, arrives_s=short),
        Fate(settles=False, arrives_s=long),
        Fate(arrives_s=long),
        Fate(arrives_s=short, returns_s=long),
        Fate(arrives_s=short, credited_s=long),
        Fate(arrives_s=short, debited_s=long),
        Fate(arrives_s=short, returns_s=long, debited_s=short),
        Fate(arrives_s=short, credited_s=short, returns_s=long, debited_s=long),
    )


# Trouble ------------------------------------------------------------------------------------------


def sling_dies(life: Life) -> str:
    """
    It is gone, for a while or for ever; or it is restarted at once.
    """
    life.sling.die()
    if life.chance.random() < 0.6:
        life.office.pass_by(life.chance.choice((0, 1, 10, 100)))
        life.sling.begin()
        return "and is back"
    return ""


def sling_holds_its_lock(life: Life) -> str:
    """
    Nobody gets an answer for so long, and what is asked is carried out later.
    """
    seconds = life.chance.choice((30, 100, 200, 1000, 3 * HOUR))
    life.sling.lock_held_until = life.sling.now + seconds
    life.sling.patience_s = life.chance.choice((0, 20, 180))
    return f"for {seconds} s, {life.sling.patience_s} s are waited for it"


def sling_is_of_another_version(life: Life) -> str:
    """
    Too old, or new enough.
    """
    life.sling.version = life.chance.choice(("v4.2.1", "v4.3.1", "v5.0.0", "v4.3.1"))
    return life.sling.version


def lightningd_takes_no_payments(life: Life) -> str:
    """
    Sling tries again and again.
    """
    life.sling.sendpay_fails = not life.sling.sendpay_fails
    return str(life.sling.sendpay_fails)


def answers_are_lost(life: Life) -> str:
    """
    The next few, before or after what was asked was done.
    """
    method = life.chance.choice(SLING_CALLS + NODE_CALLS)
    hooks, when = life.chance.choice(((life.node.before, "before"), (life.node.after, "after")))
    left = [life.chance.choice((1, 1, 1, 2, 3, 10))]
    count = left[0]

    def lose() -> None:
        left[0] -= 1
        if left[0] < 0:
            hooks.pop(method, None)
            return
        hang_up()

    hooks[method] = lose
    return f"{count} of {method}, {when} the effect"


def answers_are_garbage(life: Life) -> str:
    """
    The next few.
    """
    method = life.chance.choice(sorted(GARBAGE))
    garbage, left = life.chance.choice(GARBAGE[method]), [life.chance.choice((1, 2, 10))]

    def spoil(reply: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            life.node.garbage.pop(method, None)
            return reply
        return garbage

    life.node.garbage[method] = spoil
    return f"{left[0]} of {method}: {garbage}"


def answers_are_refusals(life: Life) -> str:
    """
    The next one.
    """
    method = life.chance.choice(("sling-once", "sling-stop", "sling-deletejob", "listsendpays"))

    def refuse() -> None:
        life.node.before.pop(method, None)
        raise RpcRefusalError(life.chance.choice((-32700, -4, -1)), "no")

    life.node.before[method] = refuse
    return method


def all_is_well(life: Life) -> str:
    """
    All trouble is over.
    """
    life.calm()
    return ""


def the_clock_is_set(life: Life) -> str:
    """
    Ahead or back, by up to two days.
    """
    step = life.chance.choice((-1, 1)) * life.chance.choice((5, 90, HOUR, 7 * HOUR, DAY, 2 * DAY))
    life.office.clock._now += step
    life.audit.slips = True
    life.hinder()
    return f"by {step} s"


# What becomes of channels -------------------------------------------------------------------------


def a_peer_leaves(life: Life) -> str:
    """
    Or comes back.
    """
    channel = life.pick(TARGETS + GIVERS)
    there = life.chance.random() < 0.5
    for other in life.node.channels:
        if other["peer_id"] == channel["peer_id"]:
            other["peer_connected"] = there
    return f"{channel['short_channel_id']} {there}"


def a_channel_is_spliced(life: Life) -> str:
    """
    It has another name from then on.
    """
    channel = life.pick(TARGETS + GIVERS)
    old, change = channel["short_channel_id"], life.chance.choice((0, 200_000_000))
    if channel["state"] != "CHANNELD_NORMAL" or old in life.audit.jobs:
        return "not"
    new = f"{200 + life.fresh()}x1x0"
    life.node.books.splice(old, new, change, 1_000_000, life.office.clock.now())
    channel["spendable_msat"] = max(0, channel["spendable_msat"] + change - 1_000_000)
    return f"{old} is {new}"


def a_channel_is_closed(life: Life) -> str:
    """
    For good.
    """
    channel = life.pick(TARGETS + GIVERS)
    scid = channel["short_channel_id"]
    if channel["state"] == "CHANNELD_NORMAL" and scid not in life.audit.jobs:
        stamp = "2026-11-22T10:00:00.000Z"
        life.node.books.close(scid, fee=1000, at=life.office.clock.now(), stamp=stamp)
    return scid


HAPPENINGS: Final = {
    time_passes: 26,
    moments_pass: 14,
    a_loop_runs: 10,
    it_is_killed: 14,
    it_is_restarted: 3,
    channels_sell: 10,
    the_market_moves: 5,
    payments_fare_otherwise: 18,
    sling_dies: 5,
    sling_holds_its_lock: 4,
    sling_is_of_another_version: 2,
    lightningd_takes_no_payments: 3,
    answers_are_lost: 8,
    answers_are_garbage: 5,
    answers_are_refusals: 3,
    all_is_well: 7,
    the_clock_is_set: 8,
    a_peer_leaves: 4,
    a_channel_is_spliced: 3,
    a_channel_is_closed: 1,
}
