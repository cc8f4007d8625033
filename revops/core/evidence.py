"""Evidence: which of our rebalances a circular payment belongs to, by the node's own records."""

from collections.abc import Iterable

from revops.core.refills import Move, Refill
from revops.core.treasury import Attempt


def owner(refill: Refill, attempts: Iterable[Attempt]) -> Attempt | None:
    """
    Return which of *attempts*, all of them open, *refill* belongs to; `None` when it is not ours.

    Where the node does not tell between which channels it went, its size must do. Among several,
    the first that still has room for what it cost: no payment of ours is ever counted nowhere.
    """
    possible = [attempt for attempt in attempts if _is_of(refill, attempt)]
    with_room = (a for a in possible if a.fee_msat + refill.fee_msat <= a.limit_msat)
    return next(with_room, possible[0] if possible else None)


def _is_of(refill: Refill, attempt: Attempt) -> bool:
    if refill.amount_msat != attempt.chunk_msat:
        return False
    if refill.from_channel is None or refill.to_channel is None:
        return True
    return refill.to_channel == attempt.to_channel and refill.from_channel in attempt.from_channels


def may_be_of(move: Move, attempt: Attempt) -> bool:
    """
    Return whether *move*, of which the other side has not been seen, may be a side of a payment
    of *attempt*.
    """
    if move.debit_msat:
        arriving = move.debit_msat - move.fee_msat
        return move.channel_id in attempt.from_channels and arriving == attempt.chunk_msat
    return move.channel_id == attempt.to_channel and move.credit_msat == attempt.chunk_msat
