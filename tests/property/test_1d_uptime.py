"""§1 Uptime: a peer's uptime is made of seconds that were watched, each counted once."""

from collections import Counter
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import GENESIS

from revops.core.units import DAY
from revops.core.uptime import Heard, Look, Watched, tally

PEERS = tuple(f"02{number:064x}" for number in range(3))
LONG = 1000 * DAY
times = st.integers(GENESIS, GENESIS + 3 * DAY)
changes = st.lists(
    st.builds(Heard, peer_id=st.sampled_from(PEERS), at=times, connected=st.booleans()), max_size=12
)
looks = st.builds(Look, times, st.dictionaries(st.sampled_from(PEERS), st.booleans(), max_size=3))


@attrs.frozen
class Truth:
    """
    When each peer came or went, and whether it was there in the beginning.
    """

    first: tuple[bool, ...]
    turns: tuple[tuple[int, ...], ...]

    def at(self, moment):
        """
        Return what a list of peers says at that moment.
        """
        return Look(
            moment,
            {
                peer: first ^ sum(turn <= moment for turn in turns) % 2
                for peer, first, turns in zip(PEERS, self.first, self.turns, strict=True)
            },
        )

    def told(self):
        """
        Return every notification.
        """
        return [
            Heard(peer_id=peer, at=turn, connected=bool(first ^ (number % 2 == 0)))
            for peer, first, turns in zip(PEERS, self.first, self.turns, strict=True)
            for number, turn in enumerate(turns)
        ]

    def connected_s(self, peer, since, until):
        """
        Return for how many seconds a peer was there, second by turn.
        """
        place = PEERS.index(peer)
        edges = [since, *(turn for turn in self.turns[place] if since < turn < until), until]
        return sum(b - a for a, b in pairwise(edges) if self.at(a).connected[peer])


truths = st.builds(
    Truth,
    st.tuples(*[st.booleans()] * 3),
    st.tuples(*[st.lists(times, max_size=5).map(lambda turns: tuple(sorted(turns)))] * 3),
)


def total(sums):
    """
    Return what each peer comes to over all days.
    """
    watched, connected = Counter(), Counter()
    for (peer, _), part in sums.items():
        watched[peer] += part.watched_s
        connected[peer] += part.connected_s
    return {peer: Watched(watched[peer], connected[peer]) for peer in watched}


@given(truths, st.lists(times, min_size=2, max_size=6, unique=True).map(sorted))
def test_it_matters_not_how_often_is_looked(truth, moments):
    """
    Two looks, or any looks between them: the same sums, day by day.
    """
    whole = tally(truth.at(moments[0]), truth.told(), truth.at(moments[-1]), LONG)
    parts = {}
    for since, until in pairwise(moments):
        part = tally(truth.at(since), truth.told(), truth.at(until), LONG)
        for key, (watched, connected) in part.items():
            so_far = parts.get(key, Watched(0, 0))
            parts[key] = Watched(so_far.watched_s + watched, so_far.connected_s + connected)

    assert parts == whole


@given(truths, times, times)
def test_what_all_notifications_told_is_known_to_the_second(truth, since, until):
    """
    When nothing was lost, all of the time was watched and each second is as it was.
    """
    sums = total(tally(truth.at(since), truth.told(), truth.at(until), LONG))

    assert sums == {
        peer: Watched(until - since, truth.connected_s(peer, since, until))
        for peer in PEERS
        if until > since
    }


@given(truths, times, times, st.randoms(use_true_random=False))
def test_told_twice_is_told_once(truth, since, until, random):
    """
    Notifications that come twice, and in any order of peers, add nothing.
    """
    told = truth.told()
    by_peer = list(PEERS)
    random.shuffle(by_peer)
    twice = [change for peer in by_peer for change in told if change.peer_id == peer for _ in "12"]
    ends = (truth.at(since), truth.at(until))

    assert tally(ends[0], twice, ends[1], LONG) == tally(ends[0], told, ends[1], LONG)


@given(looks, changes, looks, st.integers(0, 4 * DAY))
def test_whatever_is_told_a_day_has_its_seconds(before, told, after, longest):
    """
    From any notifications at all: nothing negative, no more connected than watched, no day longer
    than a day, no peer that either list lacks, and a share between none and all.
    """
    sums = tally(before, told, after, longest)

    for (peer, day), part in sums.items():
        assert 0 <= part.connected_s <= part.watched_s <= DAY
        assert before.at // DAY <= day <= after.at // DAY
        assert peer in before.connected
        assert peer in after.connected
    for part in total(sums).values():
        assert part.watched_s <= after.at - before.at
        assert part.share() is None or 0 <= part.share() <= 1


@given(truths, times, st.integers(0, 3 * DAY), st.integers(0, 3 * DAY))
def test_time_in_which_nobody_looked_is_not_watched(truth, since, away, longest):
    """
    Looks further apart than what counts as watching, and clocks that were set back, add nothing.
    """
    watched = tally(truth.at(since), truth.told(), truth.at(since + away), longest)
    back = tally(truth.at(since), truth.told(), truth.at(since - away), longest)

    assert (watched == {}) == (away == 0 or away > longest)
    assert back == {}


@given(times, st.booleans(), st.integers(1, DAY))
def test_what_is_heard_in_the_second_of_a_look_came_after_it(since, there, later):
    """
    Who came or went in the very second in which all were listed is as was heard, not as was listed.
    """
    told = [Heard(peer_id=PEERS[0], at=since, connected=not there)]
    sums = tally(
        Look(since, {PEERS[0]: there}), told, Look(since + later, {PEERS[0]: not there}), LONG
    )

    assert total(sums) == {PEERS[0]: Watched(later, 0 if there else later)}


@given(truths, times, times, st.data())
def test_the_list_corrects_what_was_lost(truth, since, until, data):
    """
    Where the list contradicts the last that was heard of a peer, the time since is not counted,
    neither as connected nor as away; up to then it is.
    """
    told = [change for change in truth.told() if data.draw(st.booleans())]
    before, after = truth.at(since), truth.at(until)
    sums = total(tally(before, told, after, LONG))

    for peer in PEERS if until > since else ():
        heard = [c for c in told if c.peer_id == peer and since <= c.at <= until]
        last = (
            heard[-1] if heard else Heard(peer_id=peer, at=since, connected=before.connected[peer])
        )
        agreed = last.connected == after.connected[peer]
        watched = sums.get(peer, Watched(0, 0)).watched_s
        assert watched == (until if agreed else last.at) - since


@pytest.mark.parametrize(
    ("watched", "share"),
    [(Watched(0, 0), None), (Watched(DAY - 1, DAY - 1), None), (Watched(DAY, DAY // 4), 0.25)],
)
def test_less_than_a_day_is_no_evidence(watched, share):
    """
    A share is told once a day's worth was watched.
    """
    assert watched.share() == share
