"""§5 Reputation: what became of a peer's HTLCs, the recent ones first."""

import math

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import LARGEST, configs, instants, peer_ids, ratios, slices, whole

from revops.core.config import Config
from revops.core.reputation import PRIOR, digested, recalled, score
from revops.core.snapshot import Slice
from revops.core.treasury import Reputation
from revops.core.units import HOUR

PEER = "02" + "ab" * 32
NOW = 1_700_000_000
LAST = NOW // HOUR - 1
"""The last complete hour."""

settings = configs(enable_reputation=st.just(True))
decaying = configs(enable_reputation=st.just(True), reputation_decay=ratios(0, 0.999))
hours = slices(max_value=LAST, largest=10**6)
few = st.builds(
    Slice,
    start=st.integers(0, 12),
    out_count=st.integers(0, 3),
    failed_count=st.integers(0, 3),
)
reputations = st.builds(
    Reputation,
    peer_id=st.just(PEER),
    hour=whole(0, LAST),
    successes=ratios(0, 1e9),
    failures=ratios(0, 1e9),
)


def read(config, *pages, start=None):
    """
    Return the reputation after *pages* of hours.
    """
    for page in pages:
        start = digested(start, PEER, page, NOW, config)
    return start


@given(st.none() | reputations, slices(), instants(), instants(), configs())
def test_a_score_is_a_chance_between_never_and_always(reputation, parts, until, now, config):
    """
    Whatever was seen, at whatever time, the score is above 0 and below 1.
    """
    found = digested(reputation, PEER, parts, until, config)

    assert 0 < score(found, now, config) < 1


@given(hours, whole(0, LAST), settings, st.integers(0, 100))
def test_successes_raise_a_score_and_failures_lower_it(parts, hour, config, later):
    """
    One more HTLC that succeeded never makes a peer look worse, one that failed never better.
    """
    now = NOW + later * HOUR
    plain = score(read(config, parts), now, config)
    better = score(read(config, [*parts, Slice(start=hour, out_count=1)]), now, config)
    worse = score(read(config, [*parts, Slice(start=hour, failed_count=1)]), now, config)

    assert worse - 1e-12 <= plain <= better + 1e-12


@given(st.none() | reputations, hours, settings, st.data())
def test_neither_order_nor_pages_matter(before, parts, config, data):
    """
    The same hours, in any order and cut into any pages by time, lead to the same reputation.
    """
    at_once = read(config, parts, start=before)
    cut = data.draw(whole(0, LAST))
    early = data.draw(st.permutations([part for part in parts if part.start < cut]))
    late = data.draw(st.permutations([part for part in parts if part.start >= cut]))

    assert read(config, early, late, start=before) == at_once


@given(st.lists(few, max_size=6), st.integers(0, 12), settings)
def test_each_htlc_weighs_what_is_left_of_it_since_its_hour(parts, until, config):
    """
    Each HTLC of an hour that was complete counts as `reputation-decay`, once for each flow interval
    from that hour to the last that had any; the hour that is under way is left for later.
    """
    counted = [p for p in parts if p.start < until and p.out_count + p.failed_count]
    found = digested(None, PEER, parts, until * HOUR + HOUR - 1, config)

    assert (found is None) == (not counted)
    if found is None:
        return
    good, bad = 0.0, 0.0
    for part in counted:
        since = (found.hour - part.start) * HOUR
        left = config.reputation_decay ** (since / config.flow_interval)
        good, bad = good + part.out_count * left, bad + part.failed_count * left
    assert found.hour == max(part.start for part in counted)
    assert (found.successes, found.failures) == pytest.approx((good, bad))


@given(hours, hours, settings)
def test_channels_of_one_peer_are_one_reputation(ones, others, config):
    """
    Hours of two channels with a peer count like the hours of one that carried it all.
    """
    together = {part.start: part for part in ones}
    for part in others:
        known = together.get(part.start, Slice(start=part.start))
        together[part.start] = Slice(
            start=part.start,
            out_count=known.out_count + part.out_count,
            failed_count=known.failed_count + part.failed_count,
        )

    assert read(config, [*ones, *others]) == read(config, together.values())


@given(st.none() | reputations, hours, settings)
def test_no_hour_counts_twice(before, parts, config):
    """
    Hours that were digested add nothing when they come again.
    """
    once = read(config, parts, start=before)

    assert read(config, parts, parts, start=before) == once


@given(reputations, st.integers(0, 10**6), st.integers(0, 10**6), decaying)
def test_what_is_not_renewed_is_forgotten(reputation, soon, longer, config):
    """
    Without news a score moves toward the prior, and never across it.
    """
    first, then = (NOW + age for age in (soon, soon + longer))
    near, far = (abs(score(reputation, at, config) - PRIOR) for at in (first, then))
    sides = [score(reputation, at, config) - PRIOR for at in (first, then)]

    assert far <= near + 1e-12
    assert sides[0] * sides[1] >= 0


@given(reputations, settings)
def test_decay_is_by_time_and_not_by_how_often_one_looks(reputation, config):
    """
    A flow interval leaves `reputation-decay` of the record, however it is cut.
    """
    reputation = attrs.evolve(reputation, hour=LAST)
    end = (LAST + 1) * HOUR
    kept = config.reputation_decay
    good, bad = reputation.successes * kept, reputation.failures * kept

    found = score(reputation, end + config.flow_interval, config)
    assert math.isclose(found, (good + 1) / (good + bad + 2), rel_tol=1e-9)


@given(reputations, whole(0, LAST), st.integers(1, LARGEST), settings)
def test_a_clock_that_went_back_adds_nothing(reputation, ahead, back, config):
    """
    Before the last hour that was digested nothing counts more than it did in that hour.
    """
    end = (reputation.hour + 1) * HOUR
    good, bad = reputation.successes, reputation.failures
    at_its_end = score(reputation, end, config)

    assert score(reputation, max(0, end - back), config) == at_its_end
    assert at_its_end == (good + 1) / (good + bad + 2)
    earlier = Slice(start=min(ahead, reputation.hour), out_count=1)
    assert digested(reputation, PEER, [earlier], NOW, config) == reputation


@given(reputations, instants(HOUR), settings)
def test_a_clock_that_was_ahead_blinds_nobody(reputation, now, config):
    """
    Recalled by a clock that is right again, a reputation learns from the next hour on.
    """
    back = recalled(reputation, now)
    news = Slice(start=now // HOUR, failed_count=1)

    assert back == attrs.evolve(reputation, hour=min(reputation.hour, now // HOUR - 1))
    assert digested(back, PEER, [news], (now // HOUR + 1) * HOUR, config).hour == now // HOUR


@given(st.none() | reputations, slices(max_value=LAST, largest=10**6), settings)
def test_what_we_refused_is_nobodys_fault(before, parts, config):
    """
    Forwards that we refused, and those that came in, say nothing about the peer.
    """
    ours = [
        attrs.evolve(part, refused_count=part.refused_count + 1, in_count=0, in_msat=0)
        for part in parts
    ]

    assert read(config, ours, start=before) == read(config, parts, start=before)


@given(st.none() | reputations, peer_ids(), instants(), settings)
def test_who_is_unknown_has_the_prior(reputation, peer, now, config):
    """
    Of a peer without any forward, or with reputation switched off, nothing is held.
    """
    silent = [Slice(start=LAST, in_count=3, refused_count=2)]

    assert digested(None, peer, silent, NOW, config) is None
    assert score(None, now, config) == PRIOR
    assert score(reputation, now, Config(enable_reputation=False)) == PRIOR
