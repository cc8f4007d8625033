"""§8 Classes: what a channel is called, and that doubt speaks for it."""

import math

import attrs
from hypothesis import event, given
from hypothesis import strategies as st
from property.accounts import AGES, COSTS, activities, known_activities, ledgers
from property.strategies import msats, whole

from revops.core.ledger import FREE, Activity, Cost
from revops.core.profit import FlowProfile, ProfitClass, Role, assessed, flow_profile
from revops.core.units import DAY

BAD = (ProfitClass.ZOMBIE, ProfitClass.UNDERWATER)
NOW = 1_700_000_000
KNOWN = {
    "opened_at": AGES.map(lambda age: max(0, NOW - age)),
    "last_value_at": st.none() | AGES.map(lambda age: max(0, NOW - age)),
    "closed_at": st.none(),
    "life": known_activities(),
}
"""Narrows channels to those of which all is known that a class depends on, now."""


def judged(ledger):
    """
    Return the assessment of the one channel of *ledger*.
    """
    return assessed(ledger.accounts[0], ledger)


def changed(ledger, **fields):
    """
    Return *ledger* with its one channel changed.
    """
    return attrs.evolve(ledger, accounts=[attrs.evolve(ledger.accounts[0], **fields)])


one_channel = ledgers(min_accounts=1, max_accounts=1)
known_channel = ledgers(NOW, min_accounts=1, max_accounts=1, **KNOWN)


def first_match(account, ledger):
    """
    Return the class by the words of the design, for a channel of which everything is known.
    """
    spent = sum(getattr(account.life, name).amount_msat for name in COSTS)
    net = account.life.earned_msat - spent
    roi = net / spent if spent else float(net > 0)
    age = ledger.now - account.opened_at
    heard_at = account.opened_at if account.last_value_at is None else account.last_value_at
    silence = ledger.now - heard_at
    rules = {
        ProfitClass.LEARNING: age < 14 * DAY,
        ProfitClass.ZOMBIE: roi < -0.1 and account.diagnostics >= 2 and not account.revived,
        ProfitClass.STAGNANT: silence >= 30 * DAY and age > 60 * DAY,
        ProfitClass.PROFITABLE: roi > 0.1,
        ProfitClass.UNDERWATER: roi < -0.1,
        ProfitClass.BREAK_EVEN: True,
    }
    return next(name for name, holds in rules.items() if holds)


@given(known_channel)
def test_the_first_class_that_fits_is_the_class(ledger):
    """
    With everything known, a class is the first of: learning, zombie, stagnant, profitable,
    underwater, break-even.
    """
    ledger = attrs.evolve(ledger, since=0)
    found = judged(ledger).profit_class
    event(found.value)

    assert found is first_match(ledger.accounts[0], ledger)


@given(one_channel)
def test_every_channel_has_one_class(ledger):
    """
    Whatever is known of a channel, it has a class, a role and a profile; `unknown` only where
    something is.
    """
    found = judged(ledger)
    event(found.profit_class.value)

    if found.profit_class is ProfitClass.UNKNOWN:
        assert found.life.costs.unknown or not found.whole_life
    assert found.role in Role
    assert found.flow_profile in FlowProfile


@given(one_channel, st.data())
def test_doubt_never_condemns(ledger, data):
    """
    A channel of which less is known is never a zombie or under water that was none before.
    """
    account = ledger.accounts[0]
    field = data.draw(st.sampled_from((*COSTS, "opened_at", "since")))
    if field == "since":
        less = attrs.evolve(ledger, since=None)
    elif field == "opened_at":
        less = changed(ledger, opened_at=None)
    else:
        less = changed(ledger, life=attrs.evolve(account.life, **{field: None}))
    before, after = judged(ledger).profit_class, judged(less).profit_class

    # The young and the silent are not judged by what they cost, but by an age that may be unknown.
    if before not in (ProfitClass.LEARNING, ProfitClass.STAGNANT):
        assert after not in BAD or before in BAD


@given(one_channel)
def test_doubt_never_praises(ledger):
    """
    With a cost that nobody can tell no channel is profitable or breaks even.
    """
    account = ledger.accounts[0]
    blind = changed(ledger, life=attrs.evolve(account.life, refill_cost=None))

    assert judged(blind).profit_class not in (ProfitClass.PROFITABLE, ProfitClass.BREAK_EVEN)


@given(one_channel)
def test_what_was_earned_before_the_books_is_not_missing_by_fault_of_the_channel(ledger):
    """
    A channel older than the books is not called a loss for what they do not reach.
    """
    account = ledger.accounts[0]
    late = attrs.evolve(ledger, since=(account.opened_at or 0) + 1)

    assert judged(late).profit_class not in BAD


@given(one_channel)
def test_nobody_is_called_dead_without_a_trial(ledger):
    """
    A zombie was refilled twice to see whether somebody comes, and nobody came.
    """
    for fields in ({"diagnostics": 1}, {"revived": True}):
        assert judged(changed(ledger, **fields)).profit_class is not ProfitClass.ZOMBIE


@given(known_channel, msats(1))
def test_earning_more_never_makes_a_class_worse(ledger, more):
    """
    From zombie and underwater over break-even to profitable, more earned is never a step back.
    """
    ledger = attrs.evolve(ledger, since=0)
    life = ledger.accounts[0].life
    richer = changed(ledger, life=attrs.evolve(life, earned_msat=life.earned_msat + more))
    ranks = {ProfitClass.BREAK_EVEN: 1, ProfitClass.PROFITABLE: 2}
    ranks |= dict.fromkeys(BAD, 0)
    before, after = judged(ledger).profit_class, judged(richer).profit_class

    if before in ranks and after in ranks:
        assert ranks[before] <= ranks[after]


@given(one_channel)
def test_what_happens_elsewhere_is_no_matter(ledger):
    """
    A name, a peer and a short channel id change no class, return or role.
    """
    other = changed(ledger, peer_id="03" + "cd" * 32, scid=None, alias="somebody")

    assert attrs.evolve(judged(other), account=ledger.accounts[0]) == judged(ledger)


@given(one_channel, msats(0, 10**7))
def test_a_marginal_return_is_by_refills_alone(ledger, spent):
    """
    Marginal ROI = (earned - refills)/refills; without refills 1 for a profit and 0 for none.
    """
    window = attrs.evolve(ledger.accounts[0].window, refill_cost=Cost(amount_msat=spent))
    earned = window.earned_msat
    found = judged(changed(ledger, window=window)).marginal_roi

    if spent:
        assert math.isclose(found, (earned - spent) / spent)
    else:
        assert found == (earned > 0)
    blind = attrs.evolve(window, refill_cost=None)
    assert judged(changed(ledger, window=blind)).marginal_roi is None


LITTLE = msats(0, 300_000)


@given(
    one_channel,
    activities(
        earned_msat=LITTLE,
        sourced_msat=LITTLE,
        refill_cost=st.none() | st.builds(Cost, amount_msat=LITTLE),
    ),
)
def test_a_bleeder_costs_more_to_refill_than_it_brings(ledger, window):
    """
    Refills above 100 sat and above earned and sourced together: nothing less bleeds, and what
    refills cost must be known.
    """
    found = judged(changed(ledger, window=window)).bleeding
    if window.refill_cost is None:
        assert found is None
    else:
        paid = window.refill_cost.amount_msat
        assert found == (paid > 100_000 and paid > window.earned_msat + window.sourced_msat)


@given(one_channel, st.sampled_from((9, 10, 11, 20, 1000)), st.data())
def test_a_role_is_by_the_share_of_entries_and_exits(ledger, total, data):
    """
    Below 10 forwards a channel is dormant; with more than 7 in 10 entering or leaving a gateway.
    """
    entries = data.draw(whole(0, total))
    exits = total - entries
    window = attrs.evolve(ledger.accounts[0].window, in_count=entries, out_count=exits)
    found = judged(changed(ledger, window=window)).role

    assert (found is Role.DORMANT) == (total < 10)
    if total >= 10:
        assert (found is Role.INBOUND_GATEWAY) == (entries / total > 0.7)
        assert (found is Role.OUTBOUND_GATEWAY) == (exits / total > 0.7)


MIRROR = {
    FlowProfile.INBOUND_ONLY: FlowProfile.OUTBOUND_ONLY,
    FlowProfile.OUTBOUND_ONLY: FlowProfile.INBOUND_ONLY,
    FlowProfile.INBOUND_DOMINANT: FlowProfile.OUTBOUND_DOMINANT,
    FlowProfile.OUTBOUND_DOMINANT: FlowProfile.INBOUND_DOMINANT,
}


@given(st.integers(0, 9) | msats(), st.integers(0, 9) | msats())
def test_a_profile_is_mirrored_by_mirrored_flow(into, out):
    """
    Inbound and outbound are the same rule: nothing, one way only, three times the other, balanced.
    """
    found = flow_profile(Activity(in_msat=into, out_msat=out))
    mirrored = flow_profile(Activity(in_msat=out, out_msat=into))

    assert mirrored is MIRROR.get(found, found)
    assert (found is FlowProfile.INACTIVE) == (into == out == 0)
    assert (found is FlowProfile.INBOUND_DOMINANT) == (into > 3 * out > 0)
    assert (found is FlowProfile.BALANCED) == (
        min(into, out) > 0 and max(into, out) <= 3 * min(into, out)
    )


@given(one_channel)
def test_a_return_needs_an_age(ledger):
    """
    Per year of what, nobody can tell of a channel whose opening is unknown; with it, ROC is net
    over capacity for each year of its life.
    """
    account = ledger.accounts[0]
    found = judged(ledger)

    assert (found.roc is None) == (account.opened_at is None)
    if account.opened_at is not None:
        moment = ledger.now if account.closed_at is None else account.closed_at
        years = max(moment - account.opened_at, DAY) / (365 * DAY)
        assert math.isclose(found.roc, found.life.net_msat / account.capacity_msat / years)


@given(one_channel)
def test_a_cost_that_is_nothing_is_known(ledger):
    """
    A channel that cost nothing and brought nothing breaks even, unless its age says more.
    """
    free = Activity(**dict.fromkeys(COSTS, FREE))
    found = judged(changed(attrs.evolve(ledger, since=0), life=free, window=free))

    assert found.profit_class in (
        ProfitClass.LEARNING,
        ProfitClass.STAGNANT,
        ProfitClass.BREAK_EVEN,
    )
