"""Books: what the rules of money say about channels that are easy to judge by hand."""

import math
import re

import attrs
import pytest

from revops.core.advice import REMARKS, Outlook, Remark, Step, remarked, told
from revops.core.capacity import capacity_report
from revops.core.config import OPTIONS, Config
from revops.core.ledger import FREE, Account, Activity, Cost, Ledger
from revops.core.pnl import Total, period, pnl_of
from revops.core.profit import FlowProfile, ProfitClass, Role, assessed, flow_profile
from revops.core.reputation import digested, score
from revops.core.snapshot import Slice, Traffic
from revops.core.tally import size_of
from revops.core.treasury import Reputation
from revops.core.units import DAY, HOUR, from_sats
from revops.core.value import Demand, change_msat, demand_of, stock_msat, value_msat

NOW = 1_700_000_000
MONTH = {"now": NOW, "since": 0, "start": NOW - 30 * DAY, "end": NOW}
PAID = {"open_cost": FREE, "close_cost": FREE, "splice_cost": FREE, "refill_cost": FREE}


def sats(amount, *, estimated=False):
    """
    Return a cost in satoshi.
    """
    return Cost(amount_msat=from_sats(amount), estimated=estimated)


def did(earned=0, **fields):
    """
    Return what a channel did that earned so many satoshi, with every cost known.
    """
    return Activity(**{"earned_msat": from_sats(earned)} | PAID | fields)


def channel(number=1, days=400, **fields):
    """
    Return the books of a channel of five million satoshi, opened *days* ago.
    """
    return Account(
        **{
            "channel_id": f"{number:064x}",
            "peer_id": f"02{number:064x}",
            "capacity_msat": from_sats(5_000_000),
            "opened_at": NOW - days * DAY,
            "last_value_at": NOW - DAY,
            "life": did(),
            "window": did(),
        }
        | fields
    )


def judged(**fields):
    """
    Return the assessment of such a channel.
    """
    only = channel(**fields)
    return assessed(only, Ledger(accounts=[only], **MONTH))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"days": 13}, ProfitClass.LEARNING),
        ({"days": 14}, ProfitClass.BREAK_EVEN),
        ({"life": did(900, open_cost=sats(1000))}, ProfitClass.BREAK_EVEN),
        ({"life": did(899, open_cost=sats(1000))}, ProfitClass.UNDERWATER),
        ({"life": did(1100, open_cost=sats(1000))}, ProfitClass.BREAK_EVEN),
        ({"life": did(1101, open_cost=sats(1000))}, ProfitClass.PROFITABLE),
        ({"life": did(1)}, ProfitClass.PROFITABLE),
        ({"life": did(0, open_cost=sats(1)), "diagnostics": 2}, ProfitClass.ZOMBIE),
        (
            {"life": did(0, open_cost=sats(1)), "diagnostics": 2, "revived": True},
            ProfitClass.UNDERWATER,
        ),
        ({"last_value_at": NOW - 30 * DAY}, ProfitClass.STAGNANT),
        ({"last_value_at": NOW - 30 * DAY, "days": 60}, ProfitClass.BREAK_EVEN),
        ({"last_value_at": None}, ProfitClass.STAGNANT),
        ({"life": did(5000, open_cost=None)}, ProfitClass.UNKNOWN),
        ({"life": did(0, open_cost=None, refill_cost=sats(1))}, ProfitClass.UNDERWATER),
    ],
)
def test_classes_by_example(fields, found):
    """
    10 % either way breaks even, two trials in vain make a zombie, a month of silence stagnates.
    """
    assert judged(**fields).profit_class is found


@pytest.mark.parametrize(
    ("earned", "refilled", "roi"), [(500, 200, 1.5), (500, 0, 1.0), (0, 0, 0.0), (300, 600, -0.5)]
)
def test_marginal_returns_by_example(earned, refilled, roi):
    """
    500 sat earned on 200 sat of refills are 150 %; without refills there is no share, only a sign.
    """
    found = judged(window=did(earned, refill_cost=sats(refilled)))

    assert found.marginal_roi == pytest.approx(roi)


def test_a_period_by_hand():
    """
    30 days with 10 000 sat earned, 3000 sat of refills and an opening estimated at 1000 sat on ten
    million sat of capacity: 6000 sat net, 60 % margin, 0.73 % a year; one splice nobody can tell.
    """
    busy = channel(1, window=did(10_000, refill_cost=sats(3000)))
    fresh = channel(2, window=did(0, open_cost=sats(1000, estimated=True), splice_cost=None))
    found = period(Ledger(accounts=[busy, fresh], **MONTH))

    assert found.pnl.costs == Total(
        known_msat=from_sats(4000), estimated_msat=from_sats(1000), unknown=1
    )
    assert found.pnl.net_msat == from_sats(6000)
    assert found.pnl.operating_margin == pytest.approx(0.6)
    assert found.roc == pytest.approx(6000 / 10_000_000 * 365 / 30)


def test_books_that_begin_within_the_window_are_of_the_rest_of_it():
    """
    Ten days of books are ten days of capital, however long the window.
    """
    found = period(Ledger(accounts=[channel()], **MONTH | {"since": NOW - 10 * DAY}))

    assert found.days == 10
    assert found.capacity_msat == from_sats(5_000_000)


def test_a_channel_that_was_open_for_half_the_window_is_half_the_capital():
    """
    Five million sat for 15 of 30 days are two and a half million.
    """
    found = period(Ledger(accounts=[channel(days=15)], **MONTH))

    assert found.capacity_msat == from_sats(2_500_000)


def test_a_loss_is_more_than_all_that_was_earned():
    """
    A thousand msat earned at two thousand msat of cost: a net of minus a thousand, ROI -50 %.
    """
    found = pnl_of(did(1, refill_cost=sats(2)))

    assert (found.net_msat, found.roi, found.operating_margin) == (-1000, -0.5, -1.0)


def test_roles_and_profiles_by_example():
    """
    Eight of ten forwards entering make an inbound gateway; four to one an inbound dominance.
    """
    window = did(in_count=8, out_count=2)

    assert judged(window=window).role is Role.INBOUND_GATEWAY
    assert flow_profile(did(in_msat=4, out_msat=1)) is FlowProfile.INBOUND_DOMINANT
    assert flow_profile(did(in_msat=3, out_msat=1)) is FlowProfile.BALANCED


def test_fees_that_went_through_elsewhere_stop_a_bleeding():
    """
    500 sat of refills against 200 sat earned bleed; with 400 sat sourced they do not.
    """
    window = did(200, refill_cost=sats(500))
    entry = attrs.evolve(window, sourced_msat=from_sats(400))

    assert judged(window=window).bleeding
    assert not judged(window=entry).bleeding


def test_reputation_by_hand():
    """
    Three of four that succeeded make 4/6; after an interval at a decay of 0.5, (1.5 + 1)/(2 + 2).
    """
    config = Config(reputation_decay=0.5, flow_interval=3600)
    peer = "02" + "00" * 32
    found = digested(None, peer, [Slice(start=9, out_count=3, failed_count=1)], 10 * HOUR, config)

    assert found == Reputation(peer_id=peer, hour=9, successes=3, failures=1)
    assert score(found, 10 * HOUR, config) == pytest.approx(4 / 6)
    assert score(found, 11 * HOUR, config) == pytest.approx(2.5 / 4)


STEADY = Demand(per_day=1000, amount_msat=1_000_000, spread=1, dispersion=1)


def test_a_steady_demand_sells_all_up_to_its_mean():
    """
    7000 payments of 1000 sat in a week, hardly varying: a million sat will go, ten will not; at
    100 ppm that is 100 sat and 700 sat, and 350 sat in half of the time.
    """
    assert value_msat(STEADY, 100, from_sats(1_000_000)) == from_sats(100)
    assert value_msat(STEADY, 100, from_sats(10_000_000)) == pytest.approx(from_sats(700), rel=1e-3)
    assert value_msat(STEADY, 100, from_sats(10_000_000), 3.5) == pytest.approx(
        from_sats(350), rel=1e-3
    )
    assert change_msat(STEADY, 100, from_sats(9_000_000), from_sats(8_000_000)) == 0
    assert stock_msat(STEADY, 0.5) == pytest.approx(from_sats(7_000_000), rel=1e-3)


def test_a_rare_customer_may_not_come():
    """
    A week in which one payment is expected brings any with 63 %: ten sat are worth so much of their
    fee of one sat, and no sat is surer to go.
    """
    rare = Demand(per_day=1 / 7, amount_msat=1_000_000, spread=1, dispersion=1)

    assert value_msat(rare, 100_000, 10_000) == 632
    assert stock_msat(rare, 0.7) == 0
    assert stock_msat(rare, -math.expm1(-1)) == 0


@pytest.mark.parametrize("pairs", [0, 1, 10, 90])
@pytest.mark.parametrize("times", [1, 16])
def test_how_much_amounts_vary_is_taken_from_twenty_forwards_on(pairs, times):
    """
    Of pairs of payments of which one is so many times the other the logarithms are off their mean
    by half of that; until twenty came, what is usual weighs more: the spread is e to the power of
    the mean of both variances.
    """
    sizes = [size_of(1_000_000), size_of(times * 1_000_000)]
    count = 2 * pairs
    day = Slice(
        start=NOW // DAY - 2,
        out_count=count,
        out_msat=pairs * (times + 1) * 1_000_000,
        size_sum=pairs * sum(sizes),
        size_squares=pairs * sum(size * size for size in sizes),
    )
    found = demand_of(Traffic(since=0, until=NOW, days=[day]), 1)
    variance = (math.log(times) / 2) ** 2

    mixed = (count * variance + 20 * math.log(5)) / (count + 20)
    assert math.log(found.spread) == pytest.approx(mixed)
    assert found.amount_msat == ((times + 1) * 500_000 if pairs else 1)


def test_a_day_without_liquidity_is_not_in_the_rate():
    """
    Ten forwards in the two days of a week on which there was something to sell are five a day.
    """
    day = Slice(start=NOW // DAY - 2, out_count=10, out_msat=10**9)
    books = {"since": NOW - 7 * DAY, "until": NOW, "days": [day]}

    assert demand_of(Traffic(**books), 2).per_day == 5
    assert demand_of(Traffic(**books), 0) is None


BRISK = Demand(per_day=10, amount_msat=from_sats(100_000), dispersion=2)
WINNER = channel(
    1,
    window=did(
        30_000,
        in_count=400,
        out_count=600,
        in_msat=from_sats(40_000_000),
        out_msat=from_sats(60_000_000),
        refill_cost=sats(10_000),
    ),
)
LOSER = channel(2, to_us_msat=from_sats(3_000_000), life=did(900, open_cost=sats(5000)))
USED = attrs.evolve(LOSER, window=did(50, out_count=5))
NEEDED = {"channel_id": WINNER.channel_id, "fee_ppm": 500, "demand": BRISK, "short_share": 0.4}


def report(perkw, *accounts, **outlook):
    """
    Return the report on *accounts*, of which one has an outlook.
    """
    return capacity_report(
        Ledger(accounts=accounts, **MONTH), [Outlook(**NEEDED | outlook)], Config(), perkw
    )


def test_a_winner_by_hand():
    """
    200 % on refills, busy, dry for 40 % of the time: splice in what sells, or open a larger channel
    where the peer cannot splice.
    """
    advice = report(1000, WINNER, LOSER, splices=True).winners[0]

    assert advice.step is Step.SPLICE_IN
    assert advice.amount_msat == stock_msat(BRISK, 0.5) // 1000 * 1000 - WINNER.capacity_msat
    assert (advice.chain_msat, advice.wait) == (from_sats(1000), False)
    assert report(1000, WINNER).winners[0].step is Step.LARGER_CHANNEL


@pytest.mark.parametrize(
    ("outlook", "window"),
    [
        ({}, {"refill_cost": sats(25_000)}),
        ({}, {"refill_cost": None}),
        ({}, {"in_msat": from_sats(70_000_000), "out_msat": from_sats(2_999_999)}),
        ({"short_share": 0.19}, {}),
        ({"short_share": None}, {}),
        ({"demand": None}, {}),
        ({"demand": Demand(per_day=5, amount_msat=from_sats(100_000), dispersion=2)}, {}),
        ({"fee_ppm": 0}, {}),
    ],
)
def test_near_misses_win_nothing(outlook, window):
    """
    20 % on refills, less than target-flow, rarely dry, demand that the channel can hold: each of
    them alone, or not knowing, is enough.
    """
    near = attrs.evolve(WINNER, window=attrs.evolve(WINNER.window, **window))

    assert report(1000, near, **outlook).winners == ()


def test_only_the_busiest_quarter_wins():
    """
    Of four channels one wins, or both that are equally busy: the one with more to gain first.
    """
    busier = attrs.evolve(WINNER.window, in_msat=from_sats(50_000_000))
    others = [attrs.evolve(WINNER, channel_id=f"{n:064x}", window=busier) for n in (7, 8)]
    outlooks = [
        Outlook(**NEEDED | {"channel_id": f"{n:064x}", "fee_ppm": ppm})
        for n, ppm in ((1, 900), (7, 700), (8, 800))
    ]
    books = Ledger(accounts=[WINNER, *others, LOSER], **MONTH)
    found = capacity_report(books, outlooks, Config(), 253).winners

    assert [int(a.assessment.account.channel_id, 16) for a in found] == [8, 7]


def test_a_channel_is_made_twice_as_large_at_most():
    """
    However much would sell, the advice doubles a channel and no more.
    """
    rush = attrs.evolve(BRISK, per_day=1000)

    assert report(1000, WINNER, demand=rush).winners[0].amount_msat == WINNER.capacity_msat


def test_who_pays_of_late_is_not_given_up():
    """
    A channel with old debts whose forwards pay for its refills stays, as exit or as entry.
    """
    for name in ("earned_msat", "sourced_msat"):
        window = did(0, in_count=5, out_count=5, refill_cost=sats(10), **{name: 10_001})
        assert report(1000, attrs.evolve(LOSER, window=window)).losers == ()
        rare = attrs.evolve(window, in_count=4)
        assert report(1000, attrs.evolve(LOSER, window=rare)).losers != ()


def test_who_paid_off_as_an_entry_is_not_given_up():
    """
    Fees of forwards that entered here, of nine tenths of what the channel cost, keep it open.
    """
    for sourced, given_up in ((4500, False), (4499, True)):
        life = did(0, sourced_msat=from_sats(sourced), open_cost=sats(5000))
        assert bool(report(1000, attrs.evolve(LOSER, life=life)).losers) is given_up


def test_before_the_books_anything_may_have_been_earned():
    """
    Where nobody knows since when the books are complete, or they begin after the channel did, a
    loss in them is no loss.
    """
    for since, found in (
        (0, ProfitClass.UNDERWATER),
        (LOSER.opened_at, ProfitClass.UNDERWATER),
        (LOSER.opened_at + 1, ProfitClass.UNKNOWN),
        (None, ProfitClass.UNKNOWN),
    ):
        ledger = Ledger(accounts=[LOSER], **MONTH | {"since": since})
        assert assessed(LOSER, ledger).profit_class is found


def test_who_loses_is_not_told_to_grow():
    """
    Nine large forwards in a month are too few to make up for a lifetime of losses.
    """
    window = attrs.evolve(WINNER.window, in_count=0, out_count=9)
    torn = attrs.evolve(WINNER, window=window, life=LOSER.life)
    found = report(1000, torn)

    assert (len(found.winners), len(found.losers)) == (0, 1)


def test_a_loser_by_hand():
    """
    900 sat earned on 5000 sat in 400 days: close it for 200 vB, which frees three million sat.
    """
    advice = report(1000, WINNER, LOSER).losers[0]

    assert advice.step is Step.CLOSE
    assert (advice.amount_msat, advice.chain_msat) == (from_sats(3_000_000), from_sats(800))


def test_a_loser_that_is_of_some_use_shrinks():
    """
    Where something still moves and the peer can splice, what nobody buys is taken out.
    """
    few = Demand(per_day=1, amount_msat=from_sats(10_000))
    outlook = {"channel_id": USED.channel_id, "demand": few, "splices": True}
    advice = report(1000, USED, **outlook).losers[0]

    assert advice.step is Step.SPLICE_OUT
    assert advice.amount_msat == (from_sats(3_000_000) - stock_msat(few, 0.05)) // 1000 * 1000
    for less in ({"splices": None}, {"demand": None}, {"demand": BRISK}):
        assert report(1000, USED, **outlook | less).losers[0].step is Step.CLOSE


def every_note():
    """
    Return the notes of reports in which every remark happens.
    """
    few = {"channel_id": USED.channel_id, "demand": Demand(per_day=1, amount_msat=1)}
    reports = [
        report(1000, WINNER, LOSER),
        report(50_000, WINNER, USED, splices=True, **few),
        report(None, WINNER, LOSER),
    ]
    return [note for found in reports for a in (*found.winners, *found.losers) for note in a.notes]


def test_every_remark_happens_and_is_a_sentence():
    """
    Each remark of the closed set can be heard, with no blank left in it; options that it names
    exist.
    """
    notes = every_note()

    assert {note.remark for note in notes} == set(Remark) == set(REMARKS)
    for note in notes:
        assert "{" not in told(note)
    names = {option.name for option in OPTIONS.values()}
    for text in REMARKS.values():
        for name in re.findall(r"(?:target|low)-[a-z-]+", text):
            assert name in names


def test_advice_reads_like_this():
    """
    Who is told to enlarge a channel, and who to take out what nobody buys, is told why in numbers.
    """
    few = {"channel_id": USED.channel_id, "demand": Demand(per_day=1, amount_msat=1)}
    (winner,) = report(1000, WINNER).winners
    life = did(900, sourced_msat=from_sats(30), open_cost=sats(5000))
    (loser,) = report(50_000, attrs.evolve(USED, life=life), splices=True, **few).losers
    (unknown,) = report(None, LOSER).losers

    assert [told(note) for note in winner.notes] == [
        "the marginal ROI of refills is +200%; above +20% a channel deserves more",
        (
            "2000000 sat left a day (target-flow 100000); 66.7% of the capacity moved a day, as"
            " much as in the node's top quarter"
        ),
        "40% of the time it was short of liquidity (low-liquidity-threshold)",
        (
            f"{winner.amount_msat // 1000} sat more would bring {winner.gain_msat // 1000} sat in"
            " 7 days at 500 ppm"
        ),
        "the transaction costs about 560 sat at 4.0 sat/vB",
    ]
    assert [told(note) for note in loser.notes] == [
        "underwater: it earned 900 sat and cost 5000 sat",
        "forwards that entered here brought 30 sat: it does not pay as an entry either",
        "2999999 sat on our side are more than 7 days would take",
        "the transaction costs about 40000 sat at 200.0 sat/vB",
        "wait: 200.0 sat/vB is above 100",
    ]
    assert told(unknown.notes[-1]) == (
        "wait: the node gave no feerates, what the transaction costs is unknown"
    )


def test_a_remark_reads_like_this():
    """
    Numbers are rounded for people.
    """
    note = remarked(Remark.RUNS_DRY, share=0.4)

    assert told(note) == "40% of the time it was short of liquidity (low-liquidity-threshold)"
