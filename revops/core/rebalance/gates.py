"""Gates: the first thing that keeps a channel from being filled, or from giving."""

from collections.abc import Callable
from typing import Final

from revops.core.memory import FlowState
from revops.core.policy import allows_drain, allows_fill
from revops.core.reasons import Code, Reason, because
from revops.core.rebalance.case import Case, Scene
from revops.core.rebalance.ev import resold_ppm
from revops.core.rebalance.price import scarce_price
from revops.core.snapshot import NORMAL
from revops.core.units import HOUR, Instant, Msat, sats_down

LEAST_UPTIME: Final = 0.9
"""Of the last week: whoever is away more often keeps payments waiting."""
FREE_SLOTS: Final = 0.5
"""Of the HTLC slots, what forwards may be using while a rebalance comes on top."""

Gate = Callable[[Case, Scene], Reason | None]


def first(gates: tuple[Gate, ...], case: Case, scene: Scene) -> Reason | None:
    """
    Return what the first of *gates* that does not open says; `None` when all do.
    """
    return next((reason for gate in gates if (reason := gate(case, scene))), None)


def ends_at(reason: Reason, case: Case, scene: Scene) -> Instant | None:
    """
    Return when what *reason* says passes by itself; `None` when time alone changes nothing.
    """
    if reason.code is Code.COOLING_DOWN:
        return scene.experience.rests_until(case.channel.channel_id)
    if reason.code is Code.FUTILE:
        return scene.experience.futile_until(case.channel.peer_id)
    return None


def open_channel(case: Case, _scene: Scene) -> Reason | None:
    """
    Liquidity moves by channels that are confirmed and working.
    """
    if case.channel.state != NORMAL:
        return because(Code.NOT_CARRYING, state=case.channel.state)
    return None if case.channel.scid else because(Code.NO_SCID)


def unengaged(case: Case, scene: Scene) -> Reason | None:
    """
    One rebalance at a time has to do with a peer: what it moves is not known before it ends.
    """
    rebalance_id = scene.engaged.get(case.channel.peer_id)
    return None if rebalance_id is None else because(Code.ENGAGED, rebalance_id=rebalance_id)


def fill_allowed(case: Case, _scene: Scene) -> Reason | None:
    """
    The operator may say that a peer's channels are not filled.
    """
    mode = case.view.policy.rebalance
    return None if allows_fill(mode) else because(Code.FILL_FORBIDDEN, mode=mode.value)


def drain_allowed(case: Case, _scene: Scene) -> Reason | None:
    """
    The operator may say that a peer's channels do not give.
    """
    mode = case.view.policy.rebalance
    return None if allows_drain(mode) else because(Code.DRAIN_FORBIDDEN, mode=mode.value)


def no_sink(case: Case, _scene: Scene) -> Reason | None:
    """
    A channel by which more comes in than leaves fills by itself.
    """
    flow = case.view.flow
    return because(Code.FILLS_ITSELF) if flow and flow.state is FlowState.SINK else None


def demand_known(case: Case, _scene: Scene) -> Reason | None:
    """
    What would leave has to be known, for whoever is to sell it and for whoever is to miss it.
    """
    if case.held is None:
        return because(Code.FLOW_UNKNOWN)
    return because(Code.NEVER_LIVE) if case.held.demand is None else None


def demanded(case: Case, _scene: Scene) -> Reason | None:
    """
    Where nothing leaves no refill is worth anything, but to a member of the hive.
    """
    if case.held and not case.held.out_msat and not case.hive:
        return because(Code.NO_OUTFLOW, days=case.held.days)
    return None


def connected(case: Case, _scene: Scene) -> Reason | None:
    """
    The peer has to be there, and to have been there for most of the time.
    """
    uptime = case.channel.peer_uptime
    if not case.channel.connected:
        return because(Code.OFFLINE)
    if uptime is None:
        return because(Code.UPTIME_UNKNOWN, needed=LEAST_UPTIME)
    return (
        because(Code.UPTIME_LOW, uptime=uptime, needed=LEAST_UPTIME)
        if uptime < LEAST_UPTIME
        else None
    )


def uncongested(case: Case, scene: Scene) -> Reason | None:
    """
    A rebalance takes HTLC slots from forwards, which pay.
    """
    channel = case.channel
    if channel.max_htlcs is None:
        return because(Code.SLOTS_UNKNOWN)
    share = min(FREE_SLOTS, scene.config.htlc_congestion_threshold)
    used = max(channel.htlcs_in, channel.htlcs_out)
    if used >= share * channel.max_htlcs and used:
        return because(Code.SLOTS_BUSY, used=used, slots=channel.max_htlcs, share=share)
    return because(Code.STILL_CONGESTED) if case.view.memory.congested else None


def unclaimed(case: Case, scene: Scene) -> Reason | None:
    """
    What somebody else lets the rebalancer do is left alone.
    """
    return because(Code.FOREIGN_JOB) if case.channel.scid in scene.foreign else None


def rested(case: Case, scene: Scene) -> Reason | None:
    """
    A channel that was refilled shows first what comes of it.
    """
    until = scene.experience.rests_until(case.channel.channel_id)
    if until is None:
        return None
    return because(Code.COOLING_DOWN, hours=(until - scene.now) / HOUR)


def not_futile(case: Case, scene: Scene) -> Reason | None:
    """
    A peer that nothing could be moved to, again and again, is left alone for a while.
    """
    futility = scene.experience.futility(case.channel.peer_id)
    if futility.until is None:
        return None
    hours = (futility.until - scene.now) / HOUR
    return because(Code.FUTILE, failures=futility.failures, hours=hours)


def uncontested(case: Case, scene: Scene) -> Reason | None:
    """
    Two members of a hive that fill channels of one peer at once make it dearer for both.
    """
    return because(Code.CONTESTED) if case.channel.peer_id in scene.contested else None


def needs_liquidity(case: Case, scene: Scene) -> Reason | None:
    """
    First ask whether a higher price closes the gap for free: payers that it keeps away leave as
    much as the others pay more.
    """
    scarce = scarce_price(case.view, scene.now, scene.config)
    held = case.held
    if held is None or not scarce:
        return None
    # What raises a price never lowers it: no more is kept than there is.
    kept = held.out_msat * (case.price_ppm / scarce)
    if held.in_msat < kept:
        return None
    return because(
        Code.PRICE_CLOSES_GAP,
        price_ppm=case.price_ppm,
        scarce_ppm=scarce,
        out_sats=sats_down(Msat(int(held.out_msat))),
        kept_sats=sats_down(Msat(int(kept))),
        in_sats=sats_down(Msat(int(held.in_msat))),
    )


def cost_known(case: Case, _scene: Scene) -> Reason | None:
    """
    What a route takes has to be known, be it from the peer's price alone.
    """
    return because(Code.ROUTE_COST_UNKNOWN) if case.cost_ppm is None else None


def resells(case: Case, _scene: Scene) -> Reason | None:
    """
    What a route takes has to be less than what the channel charges, but for a member of the hive.
    """
    most = resold_ppm(case.price_ppm)
    if case.hive or case.cost_ppm is None or case.cost_ppm <= most:
        return None
    return because(Code.DEARER_THAN_SOLD, cost_ppm=case.cost_ppm, max_ppm=most)


_USABLE: Final = (connected, uncongested, unclaimed, rested)
FILL: Final[tuple[Gate, ...]] = (
    unengaged,
    fill_allowed,
    no_sink,
    demand_known,
    demanded,
    *_USABLE,
    not_futile,
    uncontested,
    needs_liquidity,
    cost_known,
    resells,
)
"""What a channel that is short has to pass, the most telling first."""
DRAIN: Final[tuple[Gate, ...]] = (unengaged, drain_allowed, *_USABLE)
"""What a channel that has something to spare has to pass to give it."""
