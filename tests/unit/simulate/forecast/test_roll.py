"""Roll: a node's own future, the same each time, with the core as it is or with nobody at work."""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property.strategies import OPEN, snapshots
from unit.simulate.forecast.nodes import DAYS, FIRST, channel, day, node, snapshot, traffic, truths

from revops.core.config import Config
from revops.core.memory import ChannelMemory, FeeMemory, Memory, Pin, Price
from revops.core.policy import Policy, Strategy
from revops.core.snapshot import Snapshot
from revops.core.units import DAY, HOUR, Msat, Ppm
from revops.simulate.forecast.fit import fitted
from revops.simulate.forecast.lives import EVERY_S
from revops.simulate.forecast.roll import lived, paced, tape_for
from revops.simulate.forecast.twin import begins, twin

FOUR = node(truths(7, 4), 7)


def test_a_future_is_the_same_each_time_and_another_seed_another_future() -> None:
    """
    Snapshot, config and seed decide everything.
    """
    once, again, other = (lived(FOUR, Config(), 2, seed) for seed in (3, 3, 4))

    assert once == again
    assert once.income_msat != other.income_msat


def test_whoever_leaves_a_node_as_it_is_changes_nothing() -> None:
    """
    Untouched, a node keeps its prices and refills nothing, and payments come all the same.
    """
    life = lived(FOUR, None, 3, 0)

    assert sum(life.income_msat) > 0
    assert (sum(life.spent_msat), sum(life.updates)) == (0, 0)
    assert [set(path.fee_ppm) for path in life.paths] == [{200}] * 4


def test_all_sides_meet_the_same_payments() -> None:
    """
    What chance holds ready depends on the snapshot and the seed, not on what is done.
    """
    origin = twin(FOUR)
    one, same = (tape_for(origin, fitted(FOUR), 2, 5) for _ in range(2))

    assert one.payments == same.payments
    assert one.payments[0].at >= begins(FOUR) == one.began


def test_a_life_adds_up() -> None:
    """
    The days of the node are the channels together; what left by one came in by another, its fee
    on top.
    """
    life = lived(FOUR, Config(), 4, 1)

    assert sum(life.income_msat) == sum(path.earned_msat for path in life.paths)
    assert sum(life.updates) == sum(path.updates for path in life.paths) > 0
    assert sum(path.in_msat for path in life.paths) == sum(
        path.out_msat + path.earned_msat for path in life.paths
    )
    looks = 4 * DAY // EVERY_S + 1
    assert [len(path.local_share) for path in life.paths] == [looks] * 4


def test_a_life_begins_with_the_balances_and_prices_of_the_node() -> None:
    """
    The first look is the snapshot itself.
    """
    shares = (0.1, 0.9)
    held = [
        attrs.evolve(one, to_us_msat=Msat(int(one.capacity_msat * share)))
        for one, share in zip(FOUR.channels, shares, strict=False)
    ]
    life = lived(snapshot(*held), Config(), 1, 0)

    assert [path.local_share[0] for path in life.paths] == list(shares)
    assert [path.fee_ppm[0] for path in life.paths] == [200, 200]
    assert [path.scid for path in life.paths] == [one.scid for one in held]


def test_what_cannot_be_used_stays_as_it_is() -> None:
    """
    A channel that closes and one whose peer is away carry nothing, and who closes keeps its price.
    """
    first, second, *rest = FOUR.channels
    closing = attrs.evolve(first, state="CHANNELD_SHUTTING_DOWN")
    away = attrs.evolve(second, connected=False)
    life = lived(snapshot(closing, away, *rest), Config(), 3, 0)

    for path in life.paths[:2]:
        assert (path.out_msat, path.in_msat) == (0, 0)
    assert life.paths[0].updates == 0
    assert all(path.out_msat for path in life.paths[2:])


def test_the_core_goes_on_from_what_it_remembers() -> None:
    """
    Pins, policies and the memory of the snapshot hold in its future.
    """
    pinned, static, *rest = FOUR.channels
    price = Price(fee_ppm=pinned.fee_ppm, base_fee_msat=Msat(0))
    held = ChannelMemory(
        channel_id=pinned.channel_id,
        first_seen_at=FOUR.now - DAY,
        last_seen_at=FOUR.now,
        fee=FeeMemory(known=price, pin=Pin(price=price, until=FOUR.now + 2 * DAY + 2 * HOUR)),
    )
    wish = Policy(peer_id=static.peer_id, strategy=Strategy.STATIC, fee_ppm=Ppm(333))
    life = lived(
        snapshot(
            pinned, static, *rest, policies=(wish,), memory=Memory(at=FOUR.now, channels=(held,))
        ),
        Config(),
        2,
        0,
    )

    assert set(life.paths[0].fee_ppm) == {200}
    assert life.paths[1].fee_ppm[1:] == (333,) * (2 * DAY // EVERY_S)


def test_a_base_fee_earns_what_it_did() -> None:
    """
    1000 msat on payments of 50 000 sat are 20 ppm more, and known as the core's own price.
    """
    days = [day(FIRST + past, 20, 120, 20) for past in range(DAYS)]
    charged = {"fee_ppm": Ppm(100), "base_fee_msat": Msat(1000), "traffic": traffic(days)}
    both = snapshot(*(channel(number, **charged) for number in range(2)))
    life = lived(both, None, 5, 0)
    earned, moved = life.paths[0].earned_msat, life.paths[0].out_msat

    assert set(life.paths[0].fee_ppm) == {120}
    assert earned / moved == pytest.approx(120e-6, rel=1e-3)


def test_payments_larger_than_the_channel_forwards_do_not_pass() -> None:
    """
    The largest HTLC that a channel forwards holds from the beginning.
    """
    least = [attrs.evolve(one, htlc_max_msat=Msat(1)) for one in FOUR.channels]

    assert sum(lived(snapshot(*least), None, 2, 0).income_msat) == 0


def test_large_nodes_are_looked_at_less_often() -> None:
    """
    Forty channels are priced as often as the config says, a thousand every few hours, and never
    more often than the config says.
    """
    config = Config()

    assert paced(config, 40).fee_interval == config.fee_interval
    assert paced(config, 1000).fee_interval == 7 * 1800
    rare = attrs.evolve(config, fee_interval=12 * HOUR, rebalance_interval=24 * HOUR)
    assert paced(rare, 1000) == rare


@settings(max_examples=15, deadline=None)
@given(snapshots(max_channels=4, **OPEN), st.booleans())
def test_any_node_has_a_future(odd: Snapshot, idle: bool) -> None:  # noqa: FBT001 -- drawn
    """
    Whatever the snapshot says, one day of it can be lived, and its books add up.
    """
    life = lived(odd, None if idle else Config(), 1, 0)

    assert sum(life.income_msat) == sum(path.earned_msat for path in life.paths)
    assert all(0 <= share <= 1 for path in life.paths for share in path.local_share)
    assert len(life.paths) == len(odd.channels)
