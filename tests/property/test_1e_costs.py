"""§1 Costs: what the chain and the routes took, each once and to whom it belongs."""

from collections import defaultdict

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from revops.adapters.replies_books import moves_of
from revops.core.costs import ChainEvent, Closing, chain_costs, closing_cost, estimate
from revops.core.refills import LONGEST, Move, paired

CHANNELS = tuple(digit * 64 for digit in "abc")
HASHES = tuple(digit * 64 for digit in "123")
TXIDS = tuple(digit * 64 for digit in "4567")
AMOUNTS = st.integers(1, 3)


@st.composite
def payments(draw):
    """
    Return moves as lightningd numbers them: sides of circular payments, in either order, among
    payments to and from others.
    """
    sides = []
    for number in range(draw(st.integers(0, 6))):
        amount, fee = draw(AMOUNTS) * 1000, draw(st.integers(0, 2))
        kind = draw(st.sampled_from(("circular", "circular", "paid", "received")))
        payment_hash = draw(st.sampled_from(HASHES))
        if kind != "received":
            debit = {"debit_msat": amount + fee, "credit_msat": 0, "fee_msat": fee}
            sides.append((payment_hash, f"1:{number}", debit))
        if kind != "paid":
            credit = {"debit_msat": 0, "credit_msat": amount, "fee_msat": 0}
            sides.append((payment_hash, "0:0", credit))
    order = draw(st.permutations(sides))
    at = 0
    moves = []
    for index, (payment_hash, part, amounts) in enumerate(order, start=1):
        at += draw(st.sampled_from((0, 60, LONGEST // 3)))
        moves.append(
            Move(
                index=index,
                channel_id=draw(st.sampled_from(CHANNELS)),
                at=at,
                payment_hash=payment_hash,
                part=part,
                **amounts,
            )
        )
    return moves


def in_pages(moves, cuts):
    """
    Return what comes of *moves* when they are read in pages.
    """
    refills, waiting = [], ()
    for start, end in zip([0, *cuts], [*cuts, len(moves)], strict=True):
        found, waiting = paired(waiting, moves[start:end])
        refills += found
    return refills, waiting


@given(payments(), st.data())
def test_pages_change_nothing(moves, data):
    """
    However the list is cut into pages, the same refills come of it, and the same moves wait.
    """
    cuts = sorted(data.draw(st.lists(st.integers(0, len(moves)), max_size=3)))
    refills, waiting = paired((), moves)
    in_parts, still_waiting = in_pages(moves, cuts)

    assert sorted(in_parts, key=repr) == sorted(refills, key=repr)
    assert still_waiting == waiting


@given(payments(), st.data())
def test_the_order_within_a_page_and_rows_that_come_twice_change_nothing(moves, data):
    """
    A page that is shuffled, or holds rows again, says the same.
    """
    again = data.draw(st.lists(st.sampled_from(moves), max_size=3)) if moves else []
    shuffled = data.draw(st.permutations(moves + again))

    assert paired((), shuffled) == paired((), moves)


@given(payments())
def test_refills_cost_what_left_less_what_came_back(moves):
    """
    Refills cost the debits less the credits of their sides, each side belongs to one refill at
    most, and fees of payments to others are no part of it.
    """
    refills, waiting = paired((), moves)
    paid = sum(m.debit_msat - m.credit_msat for m in moves)
    others = {move.index: move for move in moves}
    for move in waiting:
        del others[move.index]
    spent = sum(refill.fee_msat for refill in refills)

    assert all(refill.fee_msat >= 0 for refill in refills)
    assert len({(refill.payment_hash, refill.part) for refill in refills}) == len(refills)
    if max((m.at for m in moves), default=0) <= LONGEST:
        assert spent == paid - sum(m.debit_msat - m.credit_msat for m in waiting)
        assert len(others) == 2 * len(refills)


@given(payments())
def test_nothing_that_could_be_paired_waits(moves):
    """
    Of the moves that wait, none is the other side of another.
    """
    _, waiting = paired((), moves)
    sides = defaultdict(set)
    for move in waiting:
        arriving = move.credit_msat or move.debit_msat - move.fee_msat
        sides[move.payment_hash, arriving].add(move.debit_msat > 0)

    assert all(len(directions) == 1 for directions in sides.values())


@given(st.integers(0, 2 * LONGEST), st.booleans())
@example(apart=LONGEST, split=False)
@example(apart=LONGEST, split=True)
def test_what_waits_longer_than_any_payment_takes_is_a_payment_of_its_own(apart, split):
    """
    Two sides belong together up to fourteen days apart; then the first waits no more.
    """
    ids = {"channel_id": CHANNELS[0], "payment_hash": HASHES[0], "part": "1:0", "fee_msat": 0}
    first = Move(index=1, at=0, debit_msat=5, credit_msat=0, **ids)
    second = Move(index=2, at=apart, debit_msat=0, credit_msat=5, **ids)
    refills, waiting = in_pages([first, second], [1] if split else [])

    assert bool(refills) == (apart <= LONGEST)
    assert waiting == (() if refills else (second,))
    stranger = attrs.evolve(second, payment_hash=HASHES[1])
    assert (first in paired((first,), [stranger])[1]) == (apart <= LONGEST)


@given(st.integers(1, 3), st.integers(0, 2), st.integers(0, LONGEST), st.booleans())
def test_a_refill_tells_both_of_its_sides(amount, fee, apart, back_first):
    """
    Whichever side is listed first, a refill went out by the channel of the debit and in by that of
    the credit, to the msat, and was over when the second of them was settled.
    """
    ids = {"payment_hash": HASHES[0], "at": 5}
    out = {"part": "1:0", "debit_msat": amount + fee, "credit_msat": 0, "fee_msat": fee}
    back = {"part": "0:0", "debit_msat": 0, "credit_msat": amount, "fee_msat": 0}
    left = Move(index=1 + back_first, channel_id=CHANNELS[0], **ids | out)
    came = Move(index=2 - back_first, channel_id=CHANNELS[1], **ids | back)
    late = attrs.evolve(came, at=5 + apart)
    (refill,), waiting = paired((), [left, late])

    assert waiting == ()
    assert (refill.payment_hash, refill.part, refill.at) == (HASHES[0], "1:0", 5 + apart)
    assert (refill.from_channel, refill.to_channel) == CHANNELS[:2]
    assert (refill.amount_msat, refill.fee_msat) == (amount, fee)
    early = attrs.evolve(left, at=5 + apart)
    assert paired((), [early, came])[0] == (refill,)


@given(payments(), st.integers(0, 6), st.data())
def test_a_clock_that_was_ahead_loses_nothing(moves, wrong, data):
    """
    Rows of a clock that ran ahead, however far, do not make those after them old.
    """
    cuts = sorted(data.draw(st.lists(st.integers(0, len(moves)), max_size=3)))
    ahead = [
        attrs.evolve(move, at=move.at + 3 * LONGEST) if move.index <= wrong else move
        for move in moves
    ]

    assert len(in_pages(ahead, cuts)[0]) >= len(paired((), moves)[0])


@given(payments(), st.sampled_from(("routed", "pushed", "lease_fee", "journal_entry")))
def test_what_is_routed_never_costs(moves, tag):
    """
    Rows of forwards, and of whatever else is no payment of ours, are passed over.
    """
    rows = [
        {
            "created_index": move.index,
            "account_id": move.channel_id,
            "primary_tag": tag,
            "payment_hash": move.payment_hash,
            "credit_msat": move.credit_msat,
            "debit_msat": move.debit_msat,
            "fees_msat": move.fee_msat,
            "timestamp": move.at,
        }
        for move in moves
    ]
    page = moves_of({"channelmoves": rows})

    assert (page.rows, page.problems) == ((), ())
    assert page.last == (len(moves) or None)


@st.composite
def accounts(draw):
    """
    Return a channel's account: what opened it, some splices, perhaps its close and what came of
    that; and what each transaction cost. Bookkeeper corrects itself by debits.
    """
    kinds = ["open"] + ["splice"] * draw(st.integers(0, 2)) + draw(st.sampled_from(([], ["close"])))
    events, truth = [], []
    for at, (kind, txid) in enumerate(zip(kinds, TXIDS, strict=False)):
        if kind != "open":
            events.append(ChainEvent(what="spends", txid=txid, at=at))
        if kind != "close":
            events.append(ChainEvent(what="funds", txid=txid, at=at))
        cost, too_much = draw(st.integers(0, 1000)), draw(st.integers(0, 1000))
        events.append(ChainEvent(what="fee", txid=txid, at=at, credit_msat=cost + too_much))
        events.append(ChainEvent(what="fee", txid=txid, at=at, debit_msat=too_much))
        truth.append((kind, txid, cost))
    if "close" in kinds:
        events.append(ChainEvent(what="fee", txid="8" * 64, at=9, credit_msat=7))
        truth.append(("close", "8" * 64, 7))
    return draw(st.permutations(events)), truth


@given(accounts())
def test_each_transaction_costs_once_what_it_cost(account):
    """
    In whatever order bookkeeper tells, each transaction is the opening, a splice or part of the
    close, at what was paid for it in the end; those that cost nothing are told too.
    """
    events, truth = account

    assert [(c.kind, c.ref, c.amount_msat) for c in chain_costs(events)] == truth


def test_what_was_paid_before_any_close_was_paid_for_the_opening():
    """
    A transaction of which only the fee is known belongs to the close if there was one, else to
    the opening: nothing is lost.
    """
    fee = ChainEvent(what="fee", txid=TXIDS[0], at=1, credit_msat=5)
    close = ChainEvent(what="spends", txid=TXIDS[1], at=2)

    assert [(c.kind, c.amount_msat) for c in chain_costs([fee])] == [("open", 5)]
    assert [(c.kind, c.amount_msat) for c in chain_costs([fee, close])] == [
        ("close", 5),
        ("close", 0),
    ]


@given(accounts(), st.data())
def test_an_account_not_corrected_yet_costs_nothing_below_zero(account, data):
    """
    Whatever part of an account bookkeeper has told so far, no cost is below nothing, and all are
    its own sums.
    """
    events, _ = account
    some = data.draw(st.lists(st.sampled_from(events), unique_by=id))
    paid = defaultdict(int)
    for event in some:
        paid[event.txid] += event.credit_msat - event.debit_msat

    assert {c.ref: c.amount_msat for c in chain_costs(some)} == {
        txid: msat for txid, msat in paid.items() if msat >= 0
    }


def test_the_first_that_funds_a_channel_opens_it():
    """
    By time, whatever its id: an opening, a splice and a close cost what was paid for each, as of
    the first that was heard of it, and are told in their order.
    """
    first, second, last = TXIDS[3], TXIDS[0], TXIDS[1]
    events = [
        ChainEvent(what="spends", txid=last, at=50),
        ChainEvent(what="fee", txid=last, at=49, credit_msat=9),
        ChainEvent(what="fee", txid=second, at=31, credit_msat=5, debit_msat=2),
        ChainEvent(what="funds", txid=second, at=30),
        ChainEvent(what="fee", txid=first, at=12, credit_msat=7),
        ChainEvent(what="funds", txid=first, at=10),
    ]
    for some in (events, events[::-1]):
        costs = [(cost.kind, cost.ref, cost.at, cost.amount_msat) for cost in chain_costs(some)]
        assert costs == [
            ("open", first, 10, 7),
            ("splice", second, 30, 3),
            ("close", last, 49, 9),
        ]


def test_what_waited_too_long_is_no_side_of_a_refill():
    """
    A side is paired with the other of its payment for as long as a payment can take, to the
    second; later it was an ordinary payment.
    """
    left = {"payment_hash": HASHES[0], "part": "1:0", "debit_msat": 1001, "fee_msat": 1}
    came = {"payment_hash": HASHES[0], "part": "0:0", "credit_msat": 1000, "fee_msat": 0}
    first = Move(index=1, channel_id=CHANNELS[0], at=5, credit_msat=0, **left)
    for late in (0, 1):
        second = Move(index=2, channel_id=CHANNELS[1], at=5 + LONGEST + late, debit_msat=0, **came)
        refills, waiting = paired([first], [second])

        assert len(refills) == 1 - late
        assert waiting == ((second,) if late else ())


def closed(opener, how, fee=None):
    """
    Return a channel of that *opener* that ended so.
    """
    return Closing(
        channel_id=CHANNELS[0],
        peer_id="02" * 33,
        opener=opener,
        capacity_msat=1_000_000,
        how=how,
        fee_msat=fee,
    )


closings = st.builds(
    closed,
    st.sampled_from(("local", "remote")),
    st.sampled_from(("mutual", "local_force", "remote_force", "unknown")),
    st.none() | AMOUNTS,
)


@given(closings, st.none() | st.integers(0, 10**6))
@example(closed("remote", "local_force"), 253)
@example(closed("remote", "remote_force"), 253)
@example(closed("local", "remote_force"), 253)
def test_a_close_costs_whoever_pays_for_it(closing, perkw):
    """
    Who opened a channel pays what closes it, as was said or else by the feerate; who did not pays
    for fetching his funds when he forced the close, and nothing otherwise.
    """
    cost = closing_cost(closing, perkw)
    if closing.opener == "local" and closing.fee_msat is not None:
        assert cost == closing.fee_msat
    elif closing.opener == "local" or closing.how == "local_force":
        assert cost == (None if perkw is None else estimate("close", perkw))
    else:
        assert cost == 0


@given(st.integers(0, 10**6))
def test_an_estimate_is_weight_times_feerate(perkw):
    """
    A kilo of weight costs the feerate: 4 units of weight in each vbyte, a thousandth of a sat is
    a millisatoshi. No kind of transaction is free.
    """
    for kind in ("open", "close", "splice"):
        vbytes = estimate(kind, 1) // 4
        assert vbytes >= 100
        assert estimate(kind, perkw) == 4 * vbytes * perkw
