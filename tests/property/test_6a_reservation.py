"""§6 Reservation: money is held until it is known what became of it, and that is known once."""

import attrs
from hypothesis import assume, example, given
from hypothesis import strategies as st
from property.attempts import at_all
from property.strategies import configs, instants, msats, whole

from revops.core.budget import (
    OVER,
    WEEK,
    Limits,
    Reservation,
    Spend,
    begun,
    limits,
    lost,
    released,
    room,
    settled,
    spending,
)
from revops.core.config import Config
from revops.core.evidence import may_be_of, owner
from revops.core.refills import Move, Refill, paired
from revops.core.treasury import Attempt
from revops.core.units import DAY

NOW = 1_750_000_000
CHANNELS = tuple(f"{number:064x}" for number in range(4))
AMOUNTS = st.integers(0, 5000)

steps = st.lists(
    st.sampled_from((begun, lost))
    | st.builds(lambda spent, at: lambda r: settled(r, spent, at), AMOUNTS, instants())
    | st.builds(lambda at: lambda r: released(r, at), instants()),
    max_size=6,
)
reserved = st.builds(Reservation, rebalance_id=whole(), amount_msat=AMOUNTS)


@st.composite
def reservations(draw, when=None):
    """
    Return a reservation after whatever was said of it.
    """
    money = draw(reserved)
    for step in draw(steps):
        money = step(money)
    if money.settled_at is not None:
        at = draw(when if when is not None else st.integers(NOW - 2 * WEEK, NOW + WEEK))
        money = attrs.evolve(money, settled_at=at)
    return money


LAST_WEEK = Reservation(
    rebalance_id=0, amount_msat=5000, state=Spend.SETTLED, spent_msat=5000, settled_at=NOW - 2 * DAY
)
books = st.lists(reservations(), max_size=6)
most = st.builds(Limits, day_msat=st.integers(0, 20_000), week_msat=st.integers(0, 40_000))


@given(reserved, steps, steps)
def test_what_is_over_never_changes(money, before, after):
    """
    Once settled or released, whatever is said late, twice or by mistake changes nothing.
    """
    for step in before:
        money = step(money)
    assume(money.state in OVER)
    end = money
    for step in after:
        money = step(money)

    assert money == end


@given(reserved, steps)
def test_until_it_is_over_all_of_it_is_held(money, said):
    """
    Begun, lost or never heard of: the whole amount is held, and nothing but an end frees it.
    """
    for step in said:
        money = step(money)
        found = spending([money], NOW)
        assert found.held_msat == (0 if money.state in OVER else money.amount_msat)
        assert (money.state is Spend.SETTLED) == (money.spent_msat is not None)
        assert (money.state in OVER) == (money.settled_at is not None)


@given(reserved, AMOUNTS, instants())
def test_what_was_said_last_is_what_is_known(money, spent, at):
    """
    At work, lost, paid or never paid: a reservation is as it was last heard of.
    """
    for said, state in (
        (begun(money), Spend.IN_FLIGHT),
        (lost(begun(money)), Spend.UNKNOWN),
        (settled(lost(money), spent, at), Spend.SETTLED),
        (released(begun(money), at), Spend.RELEASED),
    ):
        assert said.state is state
        assert said.amount_msat == money.amount_msat


@given(books, books)
def test_sums_add_up_in_any_order(ones, others):
    """
    What two books come to is the sum of what each comes to, in whatever order they are read.
    """
    both = spending([*reversed(others), *ones], NOW)

    for name in ("day_msat", "week_msat", "held_msat"):
        parts = (getattr(spending(part, NOW), name) for part in (ones, others))
        assert getattr(both, name) == sum(parts)


@given(
    reserved,
    AMOUNTS,
    st.integers(-WEEK, 2 * WEEK) | st.sampled_from((-1, 0, DAY - 1, DAY, WEEK - 1, WEEK)),
)
def test_what_was_spent_counts_for_a_day_and_a_week(money, spent, age):
    """
    To the second; and what a clock that was ahead dated later counts as of now.
    """
    found = spending([settled(money, spent, NOW - age)], NOW)

    assert found.day_msat == (spent if age < DAY else 0)
    assert found.week_msat == (spent if age < WEEK else 0)


@given(books, st.integers(0, 3 * WEEK))
def test_time_frees_and_never_holds(book, later):
    """
    While nothing happens, nothing that is counted grows; what is held stays, however long.
    """
    now, then = spending(book, NOW), spending(book, NOW + later)

    assert then.day_msat <= now.day_msat
    assert then.week_msat <= now.week_msat
    assert then.held_msat == now.held_msat


@given(books, most, AMOUNTS)
@example([], Limits(day_msat=0, week_msat=0), 1)
@example([LAST_WEEK], Limits(day_msat=9000, week_msat=6000), 2000)
def test_what_there_is_room_for_fits(book, limit, amount):
    """
    Room is never negative, and whatever fits into it leaves both windows within their limits.
    """
    spent = spending(book, NOW)
    left = room(spent, limit)
    assert left >= 0
    more = Reservation(rebalance_id=0, amount_msat=amount)
    after = spending([*book, more], NOW)
    if amount <= left and amount:
        assert after.day_msat + after.held_msat <= limit.day_msat
        assert after.week_msat + after.held_msat <= limit.week_msat
    if amount > left:
        assert (
            after.day_msat + after.held_msat > limit.day_msat
            or after.week_msat + after.held_msat > limit.week_msat
        )


@given(books, reserved, steps, most)
def test_an_end_never_takes_room(book, money, said, limit):
    """
    As long as no more was spent than was reserved, what becomes of a reservation never leaves
    less room than the reservation did.
    """
    before = room(spending([*book, money], NOW), limit)
    for step in said:
        money = step(money)
    assume((money.spent_msat or 0) <= money.amount_msat)

    assert room(spending([*book, money], NOW), limit) >= before


@given(configs(), msats() | st.none(), msats() | st.none())
@example(Config(daily_budget_sats=0, proportional_budget_pct=1.0), None, None)
@example(Config(), 10**9, 10**10)
def test_revenue_raises_a_limit_and_never_lowers_it(config, day, week):
    """
    A limit is never below what the operator set; what is not known raises none; and a share of
    the revenue is all of that share and nothing more.
    """
    found = limits(config, day, week)
    plain = limits(config, None, None)

    assert plain.day_msat == config.daily_budget_sats * 1000
    assert plain.week_msat == (config.weekly_budget_sats or 7 * config.daily_budget_sats) * 1000
    assert plain.day_msat <= found.day_msat <= max(plain.day_msat, day or 0)
    assert plain.week_msat <= found.week_msat <= max(plain.week_msat, week or 0)
    if not config.proportional_budget:
        assert found == plain
    else:
        share = config.proportional_budget_pct
        for limit, least, revenue in (
            (found.day_msat, plain.day_msat, day or 0),
            (found.week_msat, plain.week_msat, week or 0),
        ):
            assert limit >= revenue * share - 1
            assert limit == least or limit <= revenue * share


# Whose a payment is

attempts = at_all(
    to_channel=st.sampled_from(CHANNELS),
    from_channels=st.lists(st.sampled_from(CHANNELS), max_size=3).map(tuple),
    chunk_msat=st.integers(1, 3),
    limit_msat=st.integers(0, 9),
    fee_msat=st.integers(0, 9),
)
several = st.lists(attempts, max_size=4, unique_by=lambda attempt: attempt.rebalance_id)
refills = st.builds(
    Refill,
    payment_hash=st.just("ab" * 32),
    part=st.just("1:0"),
    at=instants(),
    from_channel=st.sampled_from(CHANNELS),
    to_channel=st.sampled_from(CHANNELS),
    amount_msat=st.integers(1, 3),
    fee_msat=st.integers(0, 5),
)


def of(attempt: Attempt, fee: int) -> Refill:
    """
    Return a payment of *attempt*.
    """
    return Refill(
        payment_hash="ab" * 32,
        part="1:0",
        at=NOW,
        from_channel=attempt.from_channels[0],
        to_channel=attempt.to_channel,
        amount_msat=attempt.chunk_msat,
        fee_msat=fee,
    )


@given(several, refills)
def test_a_payment_belongs_to_what_it_looks_like(candidates, refill):
    """
    Target, source and size are those of the rebalance that it belongs to; it belongs to none only
    when there is none like it.
    """

    def alike(attempt):
        return (
            refill.to_channel == attempt.to_channel
            and refill.from_channel in attempt.from_channels
            and refill.amount_msat == attempt.chunk_msat
        )

    found = owner(refill, candidates)

    assert found is None or alike(found)
    assert (found is None) == (not any(map(alike, candidates)))


@given(several, refills, st.booleans())
def test_where_nobody_tells_between_which_channels_it_went_its_size_does(
    candidates, refill, one_side
):
    """
    A payment of which an end is not known belongs to a rebalance with chunks of its size.
    """
    refill = attrs.evolve(
        refill, from_channel=None, to_channel=refill.to_channel if one_side else None
    )
    found = owner(refill, candidates)

    sizes = {attempt.chunk_msat for attempt in candidates}
    assert (found is not None) == (refill.amount_msat in sizes)
    assert found is None or found.chunk_msat == refill.amount_msat


@given(several, refills)
def test_among_equals_it_goes_where_it_was_reserved(candidates, refill):
    """
    If any rebalance that it may be of has room for what it cost, it belongs to such a one.
    """
    found = owner(refill, candidates)
    alike = [a for a in candidates if owner(refill, [a])]

    def has_room(attempt):
        return attempt.fee_msat + refill.fee_msat <= attempt.limit_msat

    assert found is None or has_room(found) == any(map(has_room, alike))


@given(attempts, st.integers(1, 9), st.booleans())
def test_what_was_reserved_is_used_up_to_the_last_msat(attempt, fee, first):
    """
    Room for just what a payment cost is room for it, a msat less is none.
    """
    assume(attempt.from_channels)
    full = attrs.evolve(attempt, rebalance_id=1, limit_msat=attempt.fee_msat + fee - 1)
    open_ = attrs.evolve(attempt, rebalance_id=2, limit_msat=attempt.fee_msat + fee)

    assert owner(of(attempt, fee), [open_, full] if first else [full, open_]) == open_


def sides_of(refill: Refill) -> tuple[Move, Move]:
    """
    Return what both channels of a payment tell of it: where it came in, and where it went out.
    """
    plain = {"at": refill.at, "payment_hash": refill.payment_hash}
    return (
        Move(
            index=1,
            channel_id=refill.to_channel,
            part="0:0",
            credit_msat=refill.amount_msat,
            debit_msat=0,
            fee_msat=0,
            **plain,
        ),
        Move(
            index=2,
            channel_id=refill.from_channel,
            part="1:0",
            credit_msat=0,
            debit_msat=refill.amount_msat + refill.fee_msat,
            fee_msat=refill.fee_msat,
            **plain,
        ),
    )


@given(attempts, st.integers(0, 9))
def test_nothing_else_is_waited_for(attempt, fee):
    """
    What moved elsewhere, or is of another size, is no side of a payment of a rebalance.
    """
    assume(attempt.from_channels)
    for side in sides_of(of(attempt, fee)):
        assert not may_be_of(attrs.evolve(side, channel_id="ff" * 32), attempt)
        if side.debit_msat:
            assert not may_be_of(attrs.evolve(side, debit_msat=side.debit_msat + 1), attempt)
        else:
            assert not may_be_of(attrs.evolve(side, credit_msat=side.credit_msat + 1), attempt)


@given(attempts, st.integers(0, 9), st.booleans())
def test_each_side_of_a_payment_of_ours_is_waited_for(attempt, fee, comes_in):
    """
    Whatever is a payment of a rebalance once both its sides are seen, may be one by either.
    """
    assume(attempt.from_channels)
    refill = of(attempt, fee)
    sides = sides_of(refill)

    assert paired((), sides) == ((refill,), ())
    assert owner(refill, [attempt]) == attempt
    assert may_be_of(sides[0 if comes_in else 1], attempt)
