"""listpeerchannels: every channel that lightningd showed us is read, as it was."""

import attrs
import pytest
from contract.recorded import NEWER_THAN_23_05, names, reply, with_msat_words, without

from revops.adapters.replies import channels_of
from revops.adapters.wire import WireError
from revops.core.snapshot import NORMAL, Channel

ALL = names("listpeerchannels*.json")
D = "039ea9b55ca86c82c305ab2a8d344900aedbbe328abc330a7ab6e3806018c8a26a"
"""The peer of the channel that is spliced, and that goes offline."""


def read(name: str) -> tuple[Channel, ...]:
    channels, problems = channels_of(reply(name))
    assert problems == ()
    return channels


@pytest.mark.parametrize("name", ALL)
def test_funded_channels_are_read_as_they_are(name: str) -> None:
    """
    In every phase, each funded channel keeps its ids, state, balances, price and limits.
    """
    rows = [row for row in reply(name)["channels"] if "channel_id" in row]

    for row, channel in zip(rows, read(name), strict=True):
        assert channel.channel_id == row["channel_id"]
        assert channel.scid == row.get("short_channel_id")
        assert channel.peer_id == row["peer_id"]
        assert channel.state == row["state"]
        assert channel.opener == row["opener"]
        assert channel.private == row["private"]
        assert channel.capacity_msat == row["total_msat"]
        assert channel.to_us_msat == row["to_us_msat"]
        assert channel.spendable_msat == row["spendable_msat"]
        assert channel.receivable_msat == row["receivable_msat"]
        assert channel.our_reserve_msat == row["our_reserve_msat"]
        assert channel.their_reserve_msat == row["their_reserve_msat"]
        assert channel.fee_ppm == row["fee_proportional_millionths"]
        assert channel.base_fee_msat == row["fee_base_msat"]
        assert channel.htlc_min_msat == row["minimum_htlc_out_msat"]
        assert channel.htlc_max_msat == row["maximum_htlc_out_msat"]
        assert channel.max_htlcs == row["max_accepted_htlcs"]
        assert (channel.alias, channel.traffic) == (None, None)


@pytest.mark.parametrize("name", ALL)
def test_amounts_in_words_mean_the_same(name: str) -> None:
    """
    `"1500msat"` and `1500` make the same Channel.
    """
    assert channels_of(with_msat_words(reply(name))) == channels_of(reply(name))


@pytest.mark.parametrize("name", ALL)
def test_v23_05_shows_the_same_but_for_the_price_of_the_peer(name: str) -> None:
    """
    What v24.02 added tells the peer's price, which is unknown before, and changes nothing else.
    """
    older = with_msat_words(without(reply(name), NEWER_THAN_23_05))
    connected = {row.get("channel_id"): row["peer_connected"] for row in reply(name)["channels"]}

    assert channels_of(older)[0] == tuple(
        attrs.evolve(
            channel,
            peer_fee_ppm=None,
            peer_base_fee_msat=None,
            connected=connected[channel.channel_id],
        )
        for channel in read(name)
    )


def test_a_price_of_the_peer_is_known_from_its_first_update_on() -> None:
    """
    A channel that opens has no channel_update of the peer, a public one that is open has.
    """
    opening = next(c for c in read("opening/listpeerchannels.json") if c.scid is None)
    opened = next(c for c in read("listpeerchannels.json") if c.scid == "150x1x0")

    assert (opening.state, opening.opened_at) == ("CHANNELD_AWAITING_LOCKIN", None)
    assert (opening.peer_fee_ppm, opening.peer_base_fee_msat) == (None, None)
    assert (opened.peer_fee_ppm, opened.peer_base_fee_msat) == (10, 1)


@pytest.mark.parametrize("name", names("dualfund/listpeerchannels*.json"))
def test_what_is_not_funded_yet_is_no_channel_and_no_problem(name: str) -> None:
    """
    An offer that waits for the peer has no channel id: it is passed over in silence.
    """
    unfunded = [row for row in reply(name)["channels"] if "channel_id" not in row]
    channels, problems = channels_of(reply(name))

    assert [channel.state for channel in channels] == [NORMAL]
    assert problems == ()
    assert all(row["state"] == "DUALOPEND_OPEN_INIT" for row in unfunded)


def test_htlc_slots_in_use_are_counted_each_way() -> None:
    """
    HTLCs in flight fill slots of the channel they came by and of the one they leave by.
    """
    slots = {c.scid: (c.htlcs_in, c.htlcs_out) for c in read("inflight/listpeerchannels.json")}

    assert slots.pop("150x7x0") == (0, 3)
    assert slots.pop("150x5x0") == (2, 0)
    assert set(slots.values()) == {(0, 0)}


def test_slots_that_nobody_counted_are_unknown() -> None:
    """
    Without `htlcs` in the reply, there is no telling how many slots are free.
    """
    channels, _ = channels_of(without(reply("inflight/listpeerchannels.json"), {"htlcs"}))

    assert {channel.max_htlcs for channel in channels} == {None}


def test_a_peer_that_is_gone_is_not_connected() -> None:
    """
    Channels with the peer that went offline say so, and only those.
    """
    channels = read("peer_offline/listpeerchannels.json")
    gone = {
        c["channel_id"]
        for c in reply("peer_offline/listpeerchannels.json")["channels"]
        if not c["peer_connected"]
    }

    assert gone
    assert {c.channel_id for c in channels if not c.connected} == gone


def test_a_peer_that_has_not_reestablished_is_not_connected() -> None:
    """
    A peer that is there, but has not taken up the channel again, forwards nothing.
    """
    recorded = reply("listpeerchannels.json")
    recorded["channels"][0]["reestablished"] = False

    assert [c.connected for c in channels_of(recorded)[0]] == [False] + [True] * 6


def test_a_splice_changes_the_scid_and_nothing_that_is_remembered_by() -> None:
    """
    Through a splice, a channel keeps its channel id and its age.
    """
    before = next(c for c in read("listpeerchannels.json") if c.peer_id == D)
    during = next(c for c in read("splice/listpeerchannels_pending.json") if c.peer_id == D)
    after = next(c for c in read("splice/listpeerchannels.json") if c.peer_id == D)

    assert (before.scid, during.scid, after.scid) == ("150x7x0", "150x7x0", "163x1x1")
    assert (during.state, after.state) == ("CHANNELD_AWAITING_SPLICE", NORMAL)
    assert {c.channel_id for c in (before, during, after)} == {before.channel_id}
    assert {c.opened_at for c in (before, during, after)} == {1795331661}


def test_a_private_channel_says_so() -> None:
    """
    The one unannounced channel is private.
    """
    channels = read("private/listpeerchannels.json")

    assert [c.scid for c in channels if c.private] == ["156x1x0"]


def test_age_without_state_changes_comes_from_the_scid() -> None:
    """
    Where lightningd kept no history, the block of the funding tells the age; without the height
    of the chain, nothing does.
    """
    older = without(reply("listpeerchannels.json"), {"state_changes"})
    aged, _ = channels_of(older, blockheight=155, now=1795331684)
    ageless, _ = channels_of(older)

    assert {c.opened_at for c in aged} == {1795331684 - 5 * 600}
    assert {c.opened_at for c in ageless} == {None}


@pytest.mark.parametrize(
    "key",
    [
        *("peer_id", "state", "opener", "peer_connected", "total_msat", "to_us_msat"),
        *("spendable_msat", "receivable_msat", "fee_base_msat", "fee_proportional_millionths"),
    ],
)
def test_a_channel_without_what_is_needed_is_left_out_by_name(key: str) -> None:
    """
    One channel lacks a field: the sentence says which, and the others are read.
    """
    broken = reply("listpeerchannels.json")
    del broken["channels"][3][key]
    channels, problems = channels_of(broken)

    assert len(channels) == 6
    assert problems == (f"listpeerchannels.channels[3].{key}: is missing",)


@pytest.mark.parametrize(
    ("key", "value", "at", "expected"),
    [
        ("to_us_msat", "5k", "", "an integer from 0 to 2100000000000000000"),
        ("to_us_msat", 3.0, "", "an integer from 0 to 2100000000000000000"),
        ("to_us_msat", True, "", "an integer from 0 to 2100000000000000000"),
        ("to_us_msat", 10**15, "", "at most capacity_msat 600000000"),
        ("total_msat", 0, "", "an integer from 1 to 2100000000000000000"),
        ("peer_connected", "yes", "", "true or false"),
        ("opener", "us", "", "one of local, remote"),
        ("short_channel_id", "150:4:0", "", "a short channel id like 700000x1x0"),
        ("channel_id", "A8", "", "64 hex digits"),
        ("updates", 5, "", "an object"),
        ("htlcs", [{"direction": "up"}], "[0].direction", "one of in, out"),
    ],
)
def test_an_absurd_field_is_named_with_its_value(
    key: str, value: object, at: str, expected: str
) -> None:
    """
    One channel has an absurd field: the sentence says which, what was expected and what came.
    """
    broken = reply("listpeerchannels.json")
    broken["channels"][3][key] = value
    channels, problems = channels_of(broken)

    (problem,) = problems
    assert len(channels) == 6
    assert problem.startswith(f"listpeerchannels.channels[3].{key}{at}: expected {expected}, got ")
    assert problem.endswith("'up'" if at else repr(value))


def test_a_channel_that_comes_twice_is_read_once() -> None:
    """
    Two entries with one channel id are an absurd reply; the second is left out by name.
    """
    broken = reply("listpeerchannels.json")
    broken["channels"].append(broken["channels"][0])
    channels, problems = channels_of(broken)

    assert len(channels) == 7
    assert problems == ("listpeerchannels.channels[7].channel_id: expected once, came before",)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([], "listpeerchannels: expected an object, got []"),
        ({}, "listpeerchannels.channels: expected a list, got None"),
        ({"channels": {}}, "listpeerchannels.channels: expected a list, got {}"),
    ],
)
def test_a_reply_of_another_shape_is_refused_as_a_whole(answer: object, sentence: str) -> None:
    """
    What is no listpeerchannels reply at all is not taken for a node without channels.
    """
    with pytest.raises(WireError) as caught:
        channels_of(answer)

    assert caught.value.problems == (sentence,)
