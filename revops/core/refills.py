"""Refills: circular payments, known by their two sides among what moved in our channels."""

from collections import defaultdict, deque
from collections.abc import Iterable
from operator import attrgetter
from typing import Final, Generic, TypeVar

import attrs

from revops.core import checks
from revops.core.units import DAY, ChannelId, Instant, Msat

T = TypeVar("T")

LONGEST: Final = 14 * DAY
"""How far apart the two sides may be: no payment is locked for longer (2016 blocks)."""


@attrs.frozen(kw_only=True)
class Move:
    """
    One side of a payment of ours: what it took from a channel, or brought to one.

    Attributes:
        index: lightningd's own number of the row; no other row has it.
        part: Which part of the payment; two of one payment differ.
        fee_msat: What others kept of the debit; 0 on a credit.
    """

    index: int = attrs.field(validator=checks.whole())
    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    at: Instant = attrs.field(validator=checks.whole())
    payment_hash: str = attrs.field(validator=checks.hexadecimal(64))
    part: str
    credit_msat: Msat = attrs.field(validator=checks.msat())
    debit_msat: Msat = attrs.field(validator=checks.msat())
    fee_msat: Msat = attrs.field(validator=checks.msat())


@attrs.frozen(kw_only=True)
class Payment:
    """
    A payment that we made to ourselves, or a part of one, as lightningd lists what it sent.

    Attributes:
        index: lightningd's number of its latest change.
        amount_msat: What arrived.
        sent_msat: What left.
    """

    index: int = attrs.field(validator=checks.whole())
    payment_hash: str = attrs.field(validator=checks.hexadecimal(64))
    part: str
    amount_msat: Msat = attrs.field(validator=checks.msat())
    sent_msat: Msat = attrs.field(validator=checks.msat())
    completed_at: Instant = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class Pending:
    """
    A payment to ourselves, or a part of one, that is under way.

    Attributes:
        amount_msat: What is to arrive; `None` when lightningd does not say.
        sent_msat: What left, or will have.
    """

    payment_hash: str = attrs.field(validator=checks.hexadecimal(64))
    amount_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    sent_msat: Msat = attrs.field(validator=checks.msat())
    created_at: Instant = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """
    Some of the rows that lightningd lists, in its order.

    Attributes:
        rows: Those that concern refills.
        last: The number of the last row of any kind; `None` when there was no row.
        count: How many rows of any kind there were.
        problems: A sentence for each row that cannot be read.
    """

    rows: tuple[T, ...]
    last: int | None
    count: int
    problems: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Refill:
    """
    A part of a circular payment: out by one of our channels, in by another.

    Attributes:
        at: When its second side was settled.
        from_channel, to_channel: `None` when nobody can tell.
        amount_msat: What arrived.
        fee_msat: What it cost; the channel that was filled bears it.
    """

    payment_hash: str
    part: str
    at: Instant
    from_channel: ChannelId | None
    to_channel: ChannelId | None
    amount_msat: Msat
    fee_msat: Msat


def paired(
    waiting: Iterable[Move], moves: Iterable[Move]
) -> tuple[tuple[Refill, ...], tuple[Move, ...]]:
    """
    Return the refills that *moves* complete, and the moves that wait for their other side.

    *waiting* is what waited before. A debit and a credit of one payment belong together when the
    debit less its fee is the credit, as bookkeeper sees it too; among equals the earlier goes
    first. What waits for longer than any payment can take is an ordinary payment.
    """
    rows = {move.index: move for move in (*waiting, *moves)}
    queues: dict[tuple[str, int, bool], deque[Move]] = defaultdict(deque)
    refills = []
    # Not the latest date: that may be of a clock that was ahead.
    now = rows[max(rows)].at if rows else 0
    for _, move in sorted(rows.items()):
        others = queues[_key(move, opposite=True)]
        while others and others[0].at < move.at - LONGEST:
            others.popleft()
        if others:
            refills.append(_refill(move, others.popleft()))
        else:
            queues[_key(move)].append(move)
    left = (move for queue in queues.values() for move in queue if move.at >= now - LONGEST)
    return tuple(refills), tuple(sorted(left, key=attrgetter("index")))


def _key(move: Move, *, opposite: bool = False) -> tuple[str, int, bool]:
    leaves = move.debit_msat > 0
    arriving = move.debit_msat - move.fee_msat if leaves else move.credit_msat
    return move.payment_hash, arriving, leaves is not opposite


def _refill(one: Move, other: Move) -> Refill:
    debit, credit = (one, other) if one.debit_msat else (other, one)
    return Refill(
        payment_hash=debit.payment_hash,
        part=debit.part,
        at=max(debit.at, credit.at),
        from_channel=debit.channel_id,
        to_channel=credit.channel_id,
        amount_msat=credit.credit_msat,
        fee_msat=Msat(debit.debit_msat - credit.credit_msat),
    )
