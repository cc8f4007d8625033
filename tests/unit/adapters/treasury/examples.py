"""Examples for the tests of the treasury book: rebalances, payments, and what is read of them."""

from unit.adapters.store_examples import NOW, PEER, channel_id, scid

from revops.core.actions import Source, StartRebalance
from revops.core.budget import Limits
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code, because
from revops.core.refills import Move, Refill

CHUNK = 100_000_000
LIMIT = 30_000
PLENTY = Limits(day_msat=10**9, week_msat=10**9)
TRAIL = (because(Code.BOUNDS, floor=1, ceiling=2),)


def start(number, **fields):
    """
    Return what fills a channel from channels 8 and 9 by two chunks, for 30 sats at most.
    """
    return StartRebalance(
        **{
            "channel_id": channel_id(number),
            "scid": scid(number),
            "peer_id": PEER,
            "sources": tuple(Source(channel_id=channel_id(n), scid=scid(n)) for n in (8, 9)),
            "amount_msat": 2 * CHUNK,
            "chunk_msat": CHUNK,
            "max_ppm": 100,
            "max_fee_msat": LIMIT,
            "expected_fee_msat": 5000,
            "keep_share": 0.05,
            "keep_msat": 10**8,
            "to_us_msat": 7000,
            **fields,
        }
    )


def about(number, action=None, **fields):
    """
    Return a decision about a channel, to begin a rebalance unless *action* says otherwise.
    """
    return Decision(
        channel_id=channel_id(number),
        scid=scid(number),
        peer_id=PEER,
        area="rebalance",
        action=action or start(number, **fields),
        trail=TRAIL,
    )


def money_plan(*decisions, at=NOW, limits=PLENTY):
    """
    Return what a cycle decided.
    """
    return RebalancePlan(at=at, decisions=decisions, node_trail=TRAIL, limits=limits)


def begin(store, number, at=NOW, limits=PLENTY, **fields):
    """
    Reserve money for a rebalance and return its entry.
    """
    (entry,) = store.treasury.write_down(
        money_plan(about(number, **fields), at=at, limits=limits), dry_run=False
    )
    return entry


def sides(index, *, into=1, out_of=8, amount=CHUNK, fee=8500, at=NOW, payment=None):  # noqa: PLR0913 -- all that there is to it
    """
    Return the two sides of a circular payment, as lightningd lists them from row *index* on.
    """
    plain = {"at": at, "payment_hash": payment or f"{index:064x}"}
    return (
        Move(
            index=index,
            channel_id=channel_id(into),
            part="0:0",
            credit_msat=amount,
            debit_msat=0,
            fee_msat=0,
            **plain,
        ),
        Move(
            index=index + 1,
            channel_id=channel_id(out_of),
            part="1:0",
            credit_msat=0,
            debit_msat=amount + fee,
            fee_msat=fee,
            **plain,
        ),
    )


def paid(payment, **fields):
    """
    Return a payment as the node's list of payments has it, from nobody knows where to where.
    """
    return Refill(
        **{
            "payment_hash": payment,
            "part": "0",
            "at": NOW,
            "from_channel": None,
            "to_channel": None,
            "amount_msat": CHUNK,
            "fee_msat": 8500,
            **fields,
        }
    )


def read(store, *moves, at=NOW):
    """
    Take *moves*, to the end of the node's list.
    """
    store.costs.take_moves(moves, moves[-1].index if moves else None, at)


def rows(store, query):
    """
    Return what the file holds.
    """
    return store._read(lambda books: books.execute(query).fetchall())


def outcome(store, number):
    """
    Return what became of the last decision about a channel.
    """
    (explained,) = store.last_decisions(scid(number), "rebalance")
    return explained.outcome


def attempt(store, number):
    """
    Return what the books hold of the rebalance of that number.
    """
    return next(a for a in store.treasury.attempts(0) if a.rebalance_id == number)
