"""§0 Snapshot: what cannot be is refused by field and value, and order says nothing."""

from operator import attrgetter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import LARGEST, channels, memories, msats, slices, snapshots, traffics

from revops.core.checks import MOST_MSAT, FieldError
from revops.core.snapshot import Channel, FeerateSample, Hour, Traffic

MSATS = ("to_us_msat", "spendable_msat", "receivable_msat", "htlc_min_msat")
AMOUNTS = ("capacity_msat", *MSATS)
absurd_amounts = st.integers(max_value=-1) | st.integers(MOST_MSAT + 1)
words = st.sampled_from(("5k", "", "12msat", "none"))


@given(channels(), st.sampled_from(AMOUNTS), absurd_amounts | words | st.floats() | st.booleans())
def test_an_absurd_amount_is_refused_by_name(channel, field, value):
    """
    An amount that is no whole number from nothing to all bitcoin is refused in a sentence with the
    field and the value; a float or a bool is no amount.
    """
    with pytest.raises(FieldError) as refused:
        attrs.evolve(channel, **{field: value})

    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: expected an integer")
    assert repr(value) in str(refused.value)


@given(channels(capacity_msat=msats(1, MOST_MSAT - 1)))
def test_nobody_owns_more_than_the_channel(channel):
    """
    A balance above the capacity is refused.
    """
    with pytest.raises(FieldError, match="to_us_msat: expected at most capacity_msat"):
        attrs.evolve(
            channel, to_us_msat=channel.capacity_msat + 1, capacity_msat=channel.capacity_msat
        )


@given(channels(), st.text(max_size=70))
def test_what_is_no_id_is_refused(channel, text):
    """
    Ids are hex digits of the right number and short channel ids three numbers; other text is
    refused by name.
    """
    for field in ("channel_id", "peer_id", "scid"):
        with pytest.raises(FieldError, match=f"^{field}: expected"):
            attrs.evolve(channel, **{field: f"?{text}"})


@given(st.integers(0, 2**30), st.integers(0, 2**30), st.integers(0, 2**20))
def test_a_short_channel_id_fits_its_eight_bytes(block, tx, out):
    """
    Parts beyond 3, 3 and 2 bytes are refused (BOLT #7), all others taken.
    """
    fits = block < 2**24 and tx < 2**24 and out < 2**16
    scid = f"{block}x{tx}x{out}"
    fields = {
        "channel_id": "0" * 64,
        "peer_id": "02" * 33,
        "state": "CHANNELD_NORMAL",
        "capacity_msat": 1,
        **dict.fromkeys(("to_us_msat", "spendable_msat", "receivable_msat"), 0),
        **dict.fromkeys(("fee_ppm", "base_fee_msat"), 0),
    }
    if fits:
        assert Channel(scid=scid, **fields).scid == scid
    else:
        with pytest.raises(FieldError, match="scid: expected a short channel id"):
            Channel(scid=scid, **fields)


@given(snapshots(min_channels=1), st.data())
def test_order_says_nothing(snapshot, data):
    """
    Channels, feerates, policies and memories in another order are the same snapshot.
    """
    memory = attrs.evolve(
        snapshot.memory, channels=data.draw(st.permutations(snapshot.memory.channels))
    )
    shuffled = attrs.evolve(
        snapshot,
        channels=data.draw(st.permutations(snapshot.channels)),
        feerates=data.draw(st.permutations(snapshot.feerates)),
        policies=data.draw(st.permutations(snapshot.policies)),
        memory=memory,
    )

    assert shuffled == snapshot


@given(traffics(), st.data())
def test_order_of_hours_says_nothing(traffic, data):
    """
    Hours and days in another order are the same traffic.
    """
    hours = data.draw(st.permutations(traffic.hours))
    days = data.draw(st.permutations(traffic.days))

    assert attrs.evolve(traffic, hours=hours, days=days) == traffic


@given(slices())
def test_an_hour_of_traffic_is_what_flow_reads_of_it(hours):
    """
    Whatever else the books tell of an hour, what came and what left is all that a cycle keeps.
    """
    known = Traffic(since=0, until=LARGEST, hours=hours).hours

    assert known == tuple(
        Hour(
            start=found.start,
            in_count=found.in_count,
            out_count=found.out_count,
            in_msat=found.in_msat,
            out_msat=found.out_msat,
        )
        for found in sorted(hours, key=attrgetter("start"))
    )
    assert Traffic(since=0, until=LARGEST, hours=known).hours == known


@given(snapshots(min_channels=1), memories())
def test_nothing_stands_there_twice(snapshot, memory):
    """
    Two entries for one channel, peer or hour contradict each other, and are refused by name.
    """
    channel = snapshot.channels[0]
    with pytest.raises(FieldError, match=r"^channels: channel_id .* stands there twice$"):
        attrs.evolve(snapshot, channels=(*snapshot.channels, channel))
    for remembered in memory.channels:
        with pytest.raises(FieldError, match=r"^channels: channel_id .* stands there twice$"):
            attrs.evolve(memory, channels=(*memory.channels, remembered))


@given(st.integers(max_value=0) | st.integers(100_000_001, LARGEST) | st.just("fast"))
def test_an_absurd_feerate_is_refused(perkw):
    """
    A feerate of nothing, or of more than a bitcoin for a small transaction, is refused.
    """
    with pytest.raises(FieldError, match="perkw: expected an integer from 1 to 100000000"):
        FeerateSample(at=0, perkw=perkw)
