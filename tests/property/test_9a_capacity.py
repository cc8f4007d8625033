"""§9 Capacity: advice about sizes, with numbers, in one order, and never out of ignorance."""

import attrs
from hypothesis import event, given
from hypothesis import strategies as st
from property.accounts import COSTS, ledgers, outlooks
from property.strategies import whole

from revops.core.advice import Outlook, Remark, Step, told
from revops.core.capacity import DEAR_PERKW, capacity_report
from revops.core.config import Config
from revops.core.ledger import FREE, Account, Activity, Cost, Ledger
from revops.core.profit import ProfitClass
from revops.core.units import DAY, from_sats
from revops.core.value import HORIZON_DAYS, Demand, change_msat

NOW = 1_700_000_000
CAPACITY = from_sats(5_000_000)
PERKW = st.none() | st.sampled_from((253, 2500, DEAR_PERKW, DEAR_PERKW + 1)) | whole(1, 10**8)


def some(**fields):
    """
    Return costs of nothing, but for *fields* in satoshi.
    """
    return dict.fromkeys(COSTS, FREE) | {
        name: Cost(amount_msat=from_sats(sats)) for name, sats in fields.items()
    }


def days_ago(days):
    """
    Return when that was.
    """
    return NOW - days * DAY


DESERVING = Account(
    channel_id="00" * 32,
    peer_id="02" + "00" * 32,
    capacity_msat=CAPACITY,
    to_us_msat=CAPACITY // 2,
    opened_at=days_ago(400),
    last_value_at=days_ago(1),
    window=Activity(
        in_count=20,
        out_count=60,
        in_msat=from_sats(3_000_000),
        out_msat=from_sats(9_000_000),
        earned_msat=from_sats(3000),
        **some(refill_cost=1000),
    ),
    life=Activity(earned_msat=from_sats(5000), **some(open_cost=2000, refill_cost=1000)),
)
"""A channel that deserves more, and one that deserves less."""
LOSING = attrs.evolve(
    DESERVING,
    window=Activity(out_count=3, earned_msat=from_sats(5), **some(refill_cost=90)),
    life=Activity(earned_msat=from_sats(100), **some(open_cost=2000, refill_cost=90)),
)
OUTLOOK = Outlook(
    channel_id="00" * 32,
    fee_ppm=500,
    demand=Demand(per_day=8, amount_msat=from_sats(100_000)),
    short_share=0.3,
)

# What may be otherwise: of the account, of its window and its life, and of what is expected.
TWISTS = (
    {"opened_at": None},
    {"opened_at": days_ago(13)},
    {"opened_at": days_ago(90)},
    {"closed_at": NOW},
    {"to_us_msat": None},
    {"last_value_at": None},
    {"diagnostics": 2},
)
OF_WINDOW = (
    {"refill_cost": None},
    {"refill_cost": Cost(amount_msat=from_sats(2700))},
    {"earned_msat": 0},
    {"sourced_msat": from_sats(3000)},
    {"sourced_msat": from_sats(3000), "in_count": 20},
    {"out_msat": from_sats(2_900_000)},
    {"out_msat": from_sats(20_000_000)},
    {"in_count": 0, "out_count": 9},
)
OF_LIFE = (
    {"open_cost": None},
    {"open_cost": Cost(amount_msat=from_sats(90_000))},
    {"sourced_msat": from_sats(1990)},
    {"earned_msat": from_sats(1880)},
    {"earned_msat": from_sats(1890)},
)
OF_OUTLOOK = (
    {"demand": None},
    {"demand": Demand(per_day=1, amount_msat=from_sats(10_000))},
    {"demand": Demand(per_day=90, amount_msat=from_sats(100_000))},
    {"short_share": None},
    {"short_share": 0.19},
    {"fee_ppm": 0},
    {"fee_ppm": 900},
    {"splices": True},
)


def twist(twists):
    """
    Return one of *twists*, or none.
    """
    return st.sampled_from(({}, *twists))


@st.composite
def nodes_at_work(draw):
    """
    Return the books of a node whose channels deserve more or less, or nearly so, and what is
    expected of most of them.
    """
    accounts, expected = [], []
    for number in range(draw(whole(1, 4))):
        base = draw(st.sampled_from((DESERVING, LOSING)))
        own = f"{number:064x}"
        window = attrs.evolve(base.window, **draw(twist(OF_WINDOW)))
        life = attrs.evolve(base.life, **draw(twist(OF_LIFE)))
        changes = {"channel_id": own, "window": window, "life": life} | draw(twist(TWISTS))
        accounts.append(attrs.evolve(base, **changes))
        if draw(whole(0, 9)) < 9:
            found = draw(twist(OF_OUTLOOK)) | draw(twist(OF_OUTLOOK))
            expected.append(attrs.evolve(OUTLOOK, channel_id=own, **found))
    since = draw(st.sampled_from((0, 0, 0, 0, days_ago(399), None)))
    ledger = Ledger(now=NOW, since=since, start=days_ago(30), end=NOW, accounts=accounts)
    return ledger, expected


OPTIONS = st.builds(Config, target_flow=st.sampled_from((0, 100_000, 290_000, 400_000)))
odd = st.tuples(ledgers(), st.lists(outlooks(), max_size=2))
nodes = nodes_at_work() | nodes_at_work() | nodes_at_work() | odd


def ids(advices):
    """
    Return whom *advices* are about.
    """
    return [advice.assessment.account.channel_id for advice in advices]


@given(nodes, OPTIONS, PERKW, st.data())
def test_the_report_is_in_one_order_whoever_comes_first(node, config, perkw, data):
    """
    Shuffling channels and expectations changes nothing: winners by gain, losers by loss, equals
    by channel id.
    """
    ledger, expected = node
    report = capacity_report(ledger, expected, config, perkw)
    shuffled = attrs.evolve(ledger, accounts=data.draw(st.permutations(ledger.accounts)))
    again = capacity_report(shuffled, data.draw(st.permutations(expected)), config, perkw)
    event(f"{len(report.winners)} winners, {len(report.losers)} losers")

    assert again == report
    gains = [
        (-a.gain_msat, own) for a, own in zip(report.winners, ids(report.winners), strict=True)
    ]
    losses = [
        (a.assessment.life.net_msat, own)
        for a, own in zip(report.losers, ids(report.losers), strict=True)
    ]
    assert gains == sorted(gains)
    assert losses == sorted(losses)


@given(nodes, OPTIONS, PERKW)
def test_no_channel_wins_and_loses(node, config, perkw):
    """
    A channel is advised upon once at most, and only while it is open.
    """
    ledger, expected = node
    report = capacity_report(ledger, expected, config, perkw)
    named = ids(report.winners) + ids(report.losers)

    assert len(named) == len(set(named))
    assert set(named) <= {a.channel_id for a in ledger.accounts if a.closed_at is None}


@given(nodes, OPTIONS, PERKW)
def test_who_brings_good_routes_in_is_no_loser(node, config, perkw):
    """
    What was sourced counts: a channel whose entries cover its costs, over its life or of late, is
    not given up, however little leaves by it.
    """
    ledger, expected = node
    for loser in capacity_report(ledger, expected, config, perkw).losers:
        life, window = loser.assessment.life, loser.assessment.window
        assert life.sourced_msat < 0.9 * life.costs.known_msat
        if window.in_count + window.out_count >= 10:
            assert window.sourced_msat <= window.refill_cost.known_msat


@given(nodes, OPTIONS, PERKW)
def test_losers_are_old_and_known_to_lose(node, config, perkw):
    """
    Nobody is given up within 90 days, nor without known costs beyond 10 % of what was earned.
    """
    ledger, expected = node
    for loser in capacity_report(ledger, expected, config, perkw).losers:
        found = loser.assessment
        event(f"{loser.step.value} {found.profit_class.value}")
        assert ledger.now - found.account.opened_at > 90 * DAY
        assert found.life.earned_msat < 0.9 * found.life.costs.known_msat
        assert found.profit_class in (
            ProfitClass.ZOMBIE,
            ProfitClass.UNDERWATER,
            ProfitClass.STAGNANT,
        )


@given(nodes_at_work(), OPTIONS, PERKW, st.data())
def test_ignorance_makes_no_loser(node, config, perkw, data):
    """
    Whatever is forgotten about a channel, or about the node, no loser is found that was none.
    """
    ledger, expected = node
    known = data.draw(st.sampled_from(ledger.accounts))
    field = data.draw(st.sampled_from((*COSTS, "opened_at", "outlook", "since")))
    window_too = data.draw(st.booleans())
    if field == "outlook":
        expected = [o for o in expected if o.channel_id != known.channel_id]
        less = known
    elif field == "opened_at":
        less = attrs.evolve(known, opened_at=None)
    elif field in COSTS:
        less = attrs.evolve(known, life=attrs.evolve(known.life, **{field: None}))
        if window_too:
            less = attrs.evolve(less, window=attrs.evolve(known.window, **{field: None}))
    else:
        less = known
    others = [account for account in ledger.accounts if account is not known]
    blind = attrs.evolve(
        ledger, accounts=[*others, less], since=None if field == "since" else ledger.since
    )
    before = capacity_report(ledger, node[1], config, perkw)
    after = capacity_report(blind, expected, config, perkw)

    assert set(ids(after.losers)) <= set(ids(before.losers))


@given(nodes_at_work(), OPTIONS, PERKW, st.sampled_from(("demand", "short_share")))
def test_ignorance_makes_no_winner(node, config, perkw, field):
    """
    Without demand, or without knowing how often a channel runs dry, nobody is told to enlarge it.
    """
    ledger, expected = node
    blind = [attrs.evolve(outlook, **{field: None}) for outlook in expected]

    assert capacity_report(ledger, blind, config, perkw).winners == ()


@given(nodes, OPTIONS)
def test_above_100_sat_per_vbyte_everything_waits(node, config):
    """
    Nothing on-chain is advised for now at a high feerate or at one that nobody can tell; what is
    advised stays the same.
    """
    ledger, expected = node
    for perkw, waits in ((DEAR_PERKW, False), (DEAR_PERKW + 1, True), (None, True)):
        report = capacity_report(ledger, expected, config, perkw)
        for advice in (*report.winners, *report.losers):
            assert advice.wait is waits
            assert (advice.chain_msat is None) == (perkw is None)
            remarks = {note.remark for note in advice.notes}
            assert (Remark.CHAIN_DEAR in remarks) == (perkw == DEAR_PERKW + 1)
            assert (Remark.CHAIN_UNKNOWN in remarks) == (perkw is None)


@given(nodes_at_work(), OPTIONS, whole(1, 10**6), whole(1, 100))
def test_a_dearer_chain_never_makes_a_winner(node, config, perkw, factor):
    """
    The more a transaction costs, the fewer channels are worth one; who loses is no matter of it.
    """
    ledger, expected = node
    cheap = capacity_report(ledger, expected, config, perkw)
    dear = capacity_report(ledger, expected, config, perkw * factor)

    assert set(ids(dear.winners)) <= set(ids(cheap.winners))
    assert ids(dear.losers) == ids(cheap.losers)


@given(nodes_at_work(), OPTIONS, PERKW)
def test_a_winner_is_worth_its_size(node, config, perkw):
    """
    Refilling pays, it is as busy as the busiest quarter and as target-flow asks, it runs dry; the
    addition is what the value model sells of it, at most as much again, and pays in a year.
    """
    ledger, expected = node
    known = {outlook.channel_id: outlook for outlook in expected}
    for winner in capacity_report(ledger, expected, config, perkw).winners:
        account = winner.assessment.account
        outlook = known[account.channel_id]
        event(winner.step.value)
        assert winner.assessment.marginal_roi > 0.2
        assert account.window.out_msat >= config.target_flow * 1000
        assert outlook.short_share >= 0.2
        assert 0 < winner.amount_msat <= account.capacity_msat
        assert winner.amount_msat % 1000 == 0
        larger = account.capacity_msat + winner.amount_msat
        gain = change_msat(outlook.demand, outlook.fee_ppm, account.capacity_msat, larger)
        assert winner.gain_msat == gain > 0
        assert gain * 365 / HORIZON_DAYS >= (winner.chain_msat or 0)
        assert (winner.step is Step.SPLICE_IN) == bool(outlook.splices)


@given(nodes, OPTIONS, PERKW)
def test_every_advice_says_why(node, config, perkw):
    """
    Each advice is a sentence or more, with its numbers in them.
    """
    ledger, expected = node
    report = capacity_report(ledger, expected, config, perkw)

    for advice in (*report.winners, *report.losers):
        sentences = [told(note) for note in advice.notes]
        assert len(sentences) >= 3
        assert all(sentence and "{" not in sentence for sentence in sentences)
        assert advice.step in ((Step.SPLICE_IN, Step.LARGER_CHANNEL) if advice.gain_msat else LESS)


LESS = (Step.CLOSE, Step.SPLICE_OUT)


@given(nodes_at_work(), PERKW)
def test_more_flow_asked_for_makes_fewer_winners(node, perkw):
    """
    The higher target-flow, the fewer channels deserve more.
    """
    ledger, expected = node
    found = [
        set(ids(capacity_report(ledger, expected, Config(target_flow=flow), perkw).winners))
        for flow in (0, 100_000, 10_000_000)
    ]

    assert found[2] <= found[1] <= found[0]
