"""
Purse: a node and its rebalancer as they are, and a naive account of what they cost.

`Truth` knows what really happens: which jobs run, what they pay, and how much of that the node
lists by now. `Purse` is a book that cannot forget, and gives each payment to a rebalance when both
its sides were read; the real books have to agree with it.
"""

from typing import Any

import attrs

from revops.core.actions import Source, StartRebalance
from revops.core.budget import Limits
from revops.core.refills import Move, Refill
from revops.core.units import DAY

CHANNELS = tuple(f"{number:064x}" for number in range(4))
PEER = "02" + "ab" * 32


def scid(channel_id: str) -> str:
    """
    Return the short channel id of a channel.
    """
    return f"{700_000 + int(channel_id, 16)}x1x0"


def start(target: int, sources: list[int], chunk: int, chunks: int, fee: int) -> StartRebalance:
    """
    Return what fills a channel from others, by *chunks* payments that cost *fee* each at most.
    """
    return StartRebalance(
        channel_id=CHANNELS[target],
        scid=scid(CHANNELS[target]),
        peer_id=PEER,
        sources=tuple(
            Source(channel_id=CHANNELS[n], scid=scid(CHANNELS[n])) for n in sources if n != target
        ),
        amount_msat=chunks * chunk,
        chunk_msat=chunk,
        max_ppm=fee * 10**6 // chunk,
        max_fee_msat=(chunks + 1) * fee,
        expected_fee_msat=fee,
        keep_share=0.05,
        keep_msat=0,
        to_us_msat=7,
    )


# What really happens


@attrs.define(kw_only=True)
class Job:
    """
    What the rebalancer makes of a rebalance of ours.

    Attributes:
        entry_id: The journal's number of it.
        said: Its answer; `None` until it is asked.
        running: It may yet pay.
        paid: How many payments it made.
    """

    action: StartRebalance
    entry_id: int
    said: str | None = None
    running: bool = False
    paid: int = 0

    @property
    def payments(self) -> int:
        """
        Return how many payments it makes at most, one that it lost count of included.
        """
        return self.action.amount_msat // self.action.chunk_msat + 1

    @property
    def fee(self) -> int:
        """
        Return what each of them may cost.
        """
        return self.action.max_fee_msat // self.payments


@attrs.define(kw_only=True)
class Paid:
    """
    A circular payment, and how many of its sides the node lists.

    Attributes:
        job: The rebalance that made it; `None` for somebody else's.
        begun_at: When the first was listed.
    """

    payment_hash: str
    job: int | None
    into: str
    out_of: str
    amount: int
    fee: int
    listed: int = 0
    begun_at: int = 0


class Truth:
    """
    What a node and its rebalancer do.
    """

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.payments: list[Paid] = []
        self.moves: list[Move] = []
        self.completed: list[Refill] = []

    def pay(self, **fields: Any) -> Paid:
        """
        Begin a payment.
        """
        paid = Paid(payment_hash=f"{len(self.payments):064x}", **fields)
        self.payments.append(paid)
        return paid

    def show(self, paid: Paid, at: int, *, pair: bool = True) -> None:
        """
        List the next side of a payment: it comes in first.
        """
        comes_in = paid.listed == 0
        paid.begun_at = at if comes_in else paid.begun_at
        self._list(paid, at, comes_in=comes_in)
        paid.listed += 1
        if not comes_in and (pair or paid.fee):
            self.completed.append(
                Refill(
                    payment_hash=paid.payment_hash,
                    part="0",
                    at=at,
                    from_channel=paid.out_of if pair else None,
                    to_channel=paid.into if pair else None,
                    amount_msat=paid.amount,
                    fee_msat=paid.fee,
                )
            )

    def show_again(self, paid: Paid, at: int) -> None:
        """
        List both sides of a payment once more.
        """
        for comes_in in (True, False):
            self._list(paid, at, comes_in=comes_in)

    def _list(self, paid: Paid, at: int, *, comes_in: bool) -> None:
        self.moves.append(
            Move(
                index=self.moves[-1].index + 1 if self.moves else 1,
                channel_id=paid.into if comes_in else paid.out_of,
                at=at,
                payment_hash=paid.payment_hash,
                part="0:0" if comes_in else "1:0",
                credit_msat=paid.amount if comes_in else 0,
                debit_msat=0 if comes_in else paid.amount + paid.fee,
                fee_msat=0 if comes_in else paid.fee,
            )
        )

    def unlisted(self) -> list[Paid]:
        """
        Return the payments of which not both sides are listed.
        """
        return [paid for paid in self.payments if paid.listed < len(("in", "out"))]

    def under_way(self, job: int, *, complete: int) -> bool:
        """
        Return whether the rebalancer works on *job*, or lightningd on a payment of it: one that
        is complete shows so many sides.
        """
        return self.jobs[job].running or any(
            paid.job == job and paid.listed < complete for paid in self.payments
        )

    def restore(self, last: int) -> None:
        """
        Set the node's list back to its row *last*.
        """
        del self.moves[last:]
        for paid in self.unlisted():
            paid.listed = 0

    def cost(self, job: int) -> int:
        """
        Return what *job* has really paid.
        """
        return sum(paid.fee for paid in self.payments if paid.job == job)


# What a book that forgets nothing says


@attrs.define(kw_only=True)
class Line:
    """
    A rebalance in the purse.
    """

    action: StartRebalance
    at: int
    state: str = "reserved"
    spent: int | None = None
    ended_at: int | None = None
    ending: str | None = None
    refills: list[Refill] = attrs.field(factory=list)

    @property
    def fees(self) -> int:
        """
        Return what its payments cost, as far as they were read.
        """
        return sum(refill.fee_msat for refill in self.refills)

    @property
    def open(self) -> bool:
        """
        Return whether its money is held.
        """
        return self.ended_at is None

    @property
    def counted(self) -> int:
        """
        Return what it counts for until that is out of sight.
        """
        return self.action.max_fee_msat if self.open else self.spent or 0


class Purse:
    """
    A naive account of reservations, and of the payments that were read.

    Attributes:
        read: By their hash, the payments that were read, with the rebalance they are of.
    """

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}
        self.read: dict[str, int | None] = {}
        self._sides: dict[str, dict[bool, Move]] = {}

    # Money ---------------------------------------------------------------------------------

    def fits(self, action: StartRebalance, limits: Limits, now: int) -> bool:
        """
        Return whether *action* may begin beside what stands.
        """
        taken = any(line.action.channel_id == action.channel_id for line in self.open().values())
        in_day, in_week = (self.counted(now, seconds) for seconds in (DAY, 7 * DAY))
        in_day, in_week = in_day + action.max_fee_msat, in_week + action.max_fee_msat
        return not taken and in_day <= limits.day_msat and in_week <= limits.week_msat

    def counted(self, now: int, seconds: int) -> int:
        """
        Return what is held, and what was spent in the last *seconds*.
        """
        return sum(
            line.counted
            for line in self.lines.values()
            if line.ended_at is None or line.ended_at + seconds > now
        )

    def open(self) -> dict[int, Line]:
        """
        Return what is not settled.
        """
        return {n: line for n, line in self.lines.items() if line.open}

    def recall(self, now: int) -> None:
        """
        Let what is dated later be of *now*.
        """
        for line in self.lines.values():
            line.at = min(line.at, now)
            line.ended_at = line.ended_at and min(line.ended_at, now)

    def hear(self, number: int, state: str) -> None:
        """
        Take note of how a rebalance stands that is not over.
        """
        line = self.lines[number]
        line.state = state if line.open else line.state

    def end(self, number: int, ending: str, spent: int | None, at: int) -> None:
        """
        Settle at *spent*, or release for `None`, what is not over.
        """
        line = self.lines[number]
        if line.open:
            line.state = "released" if spent is None else "settled"
            line.ending, line.spent, line.ended_at = ending, spent, at

    # Payments ------------------------------------------------------------------------------

    def take_move(self, move: Move) -> None:
        """
        Take note of one side of a payment.
        """
        sides = self._sides.setdefault(move.payment_hash, {})
        sides[move.credit_msat > 0] = move
        if len(sides) == len((True, False)):
            comes_in, leaves = sides[True], sides[False]
            self.take(
                Refill(
                    payment_hash=move.payment_hash,
                    part="1:0",
                    at=move.at,
                    from_channel=leaves.channel_id,
                    to_channel=comes_in.channel_id,
                    amount_msat=comes_in.credit_msat,
                    fee_msat=leaves.fee_msat,
                )
            )

    def take(self, refill: Refill) -> None:
        """
        Take note of a payment, the first time that it is read.
        """
        if refill.payment_hash in self.read:
            return
        owner = next((n for n, line in self.open().items() if _fits(refill, line)), None)
        self.read[refill.payment_hash] = owner
        if owner is not None:
            self.lines[owner].refills.append(refill)


def _fits(refill: Refill, line: Line) -> bool:
    action = line.action
    if refill.amount_msat != action.chunk_msat:
        return False
    if refill.to_channel is None:
        return True
    return refill.to_channel == action.channel_id and refill.from_channel in {
        source.channel_id for source in action.sources
    }
