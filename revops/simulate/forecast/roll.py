"""Roll: a node's future, drawn once, and what becomes of the node in it under one config."""

from collections.abc import Sequence
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.snapshot import Snapshot
from revops.core.units import HOUR, Msat, Ppm, Scid
from revops.simulate.arena.core_policy import CorePolicy
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.play import Policy, Start, observed
from revops.simulate.arena.refilling import RefillingPolicy
from revops.simulate.arena.scenario import Scenario
from revops.simulate.arena.tape import Beginning, Tape, tape_in
from revops.simulate.arena.world import Passed, Refilled, World
from revops.simulate.arena.worth import worth_of
from revops.simulate.forecast.fit import NAME, Fit, fitted
from revops.simulate.forecast.lives import EVERY_S, Life, Path
from revops.simulate.forecast.twin import begins, twin

_EVERY: Final = EVERY_S // STEP_S
_PRICED_AT_ONCE: Final = 150
_JUDGED_AT_ONCE: Final = 35
_JUDGED_S: Final = HOUR
"""Refills are judged no more often than this: that takes longer than prices do."""


def lived(
    snapshot: Snapshot, config: Config | None, days: int, seed: int, fit: Fit | None = None
) -> Life:
    """
    Return what becomes of the node in *snapshot* under *config*, or untouched for `None`, in so
    many *days* of the future that is drawn from *seed* and *fit*, its own unless given.
    """
    origin = twin(snapshot)
    tape = tape_for(origin, fit or fitted(snapshot), days, seed)
    world = World(tape)
    world.htlc_max = [
        usual if channel.htlc_max_msat is None else channel.htlc_max_msat
        for channel, usual in zip(origin.channels, world.htlc_max, strict=True)
    ]
    policy = _policy(snapshot, origin, config, tape) if config else None
    looks = played(world, policy)
    names = [Scid(channel.scid or channel.channel_id) for channel in snapshot.channels]
    return told(names, world, looks)


def tape_for(origin: Snapshot, fit: Fit, days: int, seed: int) -> Tape:
    """
    Return what chance holds ready for the twin of a node: a draw of the market that it may be in,
    and one of the payments there.
    """
    channels = origin.channels
    scenario = Scenario(name=NAME, about="A node's own future.", channels=len(channels), days=days)
    node = Beginning(
        capacity=tuple(channel.capacity_msat for channel in channels),
        local=tuple(channel.to_us_msat for channel in channels),
        ppm=tuple(channel.fee_ppm for channel in channels),
        at=begins(origin),
    )
    tape = tape_in(fit.drawn(seed, days), node, scenario, seed)
    heard = tuple(channel.market_ppm for channel in channels)
    pairs = zip(channels, tape.peer_ppm, strict=True)
    return attrs.evolve(
        tape,
        market_ppm=(heard,) * days,
        peer_ppm=tuple(drawn if c.peer_fee_ppm is None else c.peer_fee_ppm for c, drawn in pairs),
    )


def paced(config: Config, channels: int) -> Config:
    """
    Return *config* with as much time between looks as it takes for a node of so many *channels* to
    be rolled forward within a minute or so.
    """
    prices, judged = (-(-channels // most) * STEP_S for most in (_PRICED_AT_ONCE, _JUDGED_AT_ONCE))
    return attrs.evolve(
        config,
        fee_interval=max(config.fee_interval, prices),
        rebalance_interval=max(config.rebalance_interval, judged, _JUDGED_S),
    )


def refills(snapshot: Snapshot) -> bool:
    """
    Return whether there is what refills are judged by, and somebody to make them.
    """
    treasury = snapshot.treasury
    return bool(treasury and treasury.engine and treasury.engine.version)


def _policy(snapshot: Snapshot, origin: Snapshot, config: Config, tape: Tape) -> Policy:
    start = Start(tape.seed, tape.capacity, tape.local, is_new=False, origin=origin)
    return (RefillingPolicy if refills(snapshot) else CorePolicy)(
        paced(config, tape.channels), start
    )


@attrs.frozen
class Look:
    """
    Prices and balances at one moment.
    """

    fee_ppm: tuple[Ppm, ...]
    local: tuple[Msat, ...]


def played(world: World, policy: Policy | None) -> list[Look]:
    """
    Let *world* go by; the core keeps to its own limits, other ones there are none.
    """
    looks = []
    passed: list[Passed] = []
    refilled: list[Refilled] = []
    while not world.over:
        if not world.step % _EVERY:
            looks.append(_look(world))
        if policy:
            orders = policy.step(observed(world, passed, refilled))
            for channel, ppm in sorted(orders.fees.items()):
                world.charge(channel, ppm, orders.htlc_max.get(channel))
            refilled = [world.refill(refill) for refill in orders.refills]
        passed = world.advance()
    return [*looks, _look(world)]


def _look(world: World) -> Look:
    return Look(tuple(world.fee_ppm), tuple(world.local))


def told(names: Sequence[Scid], world: World, looks: Sequence[Look]) -> Life:
    """
    Return what became of channels with these *names* in a *world* that is over.
    """
    ledger, tape = world.ledger, world.tape
    days = range(tape.scenario.days)
    updates = [0] * len(days)
    by_channel = [0] * tape.channels
    for (channel, day), count in ledger.updates.items():
        updates[day] += count
        by_channel[channel] += count
    return Life(
        seed=tape.seed,
        income_msat=tuple(Msat(ledger.income_by_day[day]) for day in days),
        spent_msat=tuple(Msat(ledger.spent_by_day[day]) for day in days),
        updates=tuple(updates),
        left_msat=worth_of(tape).change(tape.local, world.local),
        paths=tuple(
            Path(
                scid=name,
                fee_ppm=tuple(look.fee_ppm[n] for look in looks),
                local_share=tuple(look.local[n] / tape.capacity[n] for look in looks),
                earned_msat=Msat(ledger.earned[n]),
                spent_msat=Msat(ledger.spent[n]),
                out_msat=Msat(ledger.out_msat[n]),
                in_msat=Msat(ledger.in_msat[n]),
                updates=by_channel[n],
            )
            for n, name in enumerate(names)
        ),
    )
