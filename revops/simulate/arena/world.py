"""World: the physics of a node - a tape goes by, and what settles is kept to the millisatoshi."""

from typing import Final, Literal, NamedTuple

import attrs

from revops.core.units import MILLION, Instant, Msat, Ppm, fee_msat
from revops.simulate.arena.ledger import Ledger
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.payments import ANY, Kind, Payment
from revops.simulate.arena.rivalry import Rivalry
from revops.simulate.arena.tape import Tape

MAX_HTLCS: Final = 483
# lightningd lets the old fee do for ten minutes after it was raised.
_ENFORCE_DELAY_S: Final = 600
_NEVER: Final = Instant(1 << 40)


class Refill(NamedTuple):
    """
    A circular payment that is to be tried: out by *source*, in by *target*.

    Attributes:
        chunk_msat: Tried by payments of this size, as many as there is a way for; `None` for all
            or nothing.
    """

    source: int
    target: int
    amount_msat: Msat
    max_ppm: Ppm
    chunk_msat: Msat | None = None


class Refilled(NamedTuple):
    """
    What became of it.

    Attributes:
        cost_msat, moved_msat: 0 when it failed.
        dear: Whether the ways that there are cost more than it might.
    """

    refill: Refill
    moved: bool
    cost_msat: Msat
    moved_msat: Msat = Msat(0)
    dear: bool = False


class Passed(NamedTuple):
    """
    A forward as the node lists it.

    Attributes:
        status: Settled, failed further on, or refused because it could not leave.
    """

    at: Instant
    into: int
    out: int
    amount_msat: Msat
    fee_msat: Msat
    status: Literal["settled", "failed", "local_failed"]


@attrs.define(eq=False)
class World:
    """
    A node in a tape.

    Attributes:
        step: The next that will be played.
        local: What is on our side of each channel.
        fee_ppm: What the node charges.
        known_ppm: What senders know of it.
        htlc_max: The largest payment that each channel forwards.
        ledger: All that was earned and spent.
    """

    tape: Tape
    step: int = attrs.field(default=0, init=False)
    local: list[Msat] = attrs.field(init=False)
    fee_ppm: list[Ppm] = attrs.field(init=False)
    known_ppm: list[Ppm] = attrs.field(init=False)
    htlc_max: list[Msat] = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    _floors: tuple[Msat, ...] = attrs.field(init=False)
    _heard_at: list[Instant] = attrs.field(init=False)
    _filled: set[int] = attrs.field(factory=set, init=False)
    _rivalry: Rivalry = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        tape = self.tape
        self.local = list(tape.local)
        self.fee_ppm = list(tape.start_ppm)
        self.known_ppm = list(tape.start_ppm)
        self._floors = tape.floors
        self.htlc_max = [
            Msat(most - floor) for most, floor in zip(tape.capacity, tape.floors, strict=True)
        ]
        self.ledger = Ledger(tape.channels)
        self._heard_at = [_NEVER] * tape.channels
        self._rivalry = Rivalry(tape)

    @property
    def now(self) -> Instant:
        """
        Return when the next step begins.
        """
        return Instant(self.tape.began + self.step * STEP_S)

    @property
    def over(self) -> bool:
        """
        Return whether the tape is at its end.
        """
        return self.step >= self.tape.steps

    def spendable(self, channel: int) -> Msat:
        """
        Return what can leave by a channel.
        """
        return Msat(max(self.local[channel] - self._floors[channel], 0))

    def receivable(self, channel: int) -> Msat:
        """
        Return what can enter by a channel.
        """
        remote = self.tape.capacity[channel] - self.local[channel]
        return Msat(max(remote - self._floors[channel], 0))

    def charge(self, channel: int, ppm: Ppm, htlc_max: Msat | None = None) -> None:
        """
        Set what a channel charges, and the most that it forwards at once; others hear of the fee
        later.
        """
        if htlc_max is not None:
            self.htlc_max[channel] = htlc_max
        cheaper = ppm < self.fee_ppm[channel]
        delay = self.tape.delay_s[self.step][channel] if cheaper else _ENFORCE_DELAY_S
        self.fee_ppm[channel] = ppm
        self._heard_at[channel] = Instant(self.now + delay)
        self.ledger.updated(channel, self.step)

    def refill(self, refill: Refill) -> Refilled:
        """
        Try to move what *refill* asks for, at what the market takes for it now: one try a channel
        and step.
        """
        source, target, amount, most, chunk = refill
        ppm = self.tape.refill_ppm[self.step][target]
        depth = self.tape.refill_msat[self.step][target]
        piece = chunk or amount
        count = min(amount, depth) // piece if piece > 0 else 0
        amount, cost = Msat(count * piece), Msat(count * fee_msat(piece, ppm))
        moves = (
            source != target
            and target not in self._filled
            and ppm <= most
            and amount > 0
            and amount + cost <= self.spendable(source)
            and amount <= self.receivable(target)
        )
        self._filled.add(target)
        if not moves:
            return Refilled(refill, moved=False, cost_msat=Msat(0), dear=ppm > most)
        self.local[source] = Msat(self.local[source] - amount - cost)
        self.local[target] = Msat(self.local[target] + amount)
        self.ledger.refilled(target, amount, cost, self.step)
        return Refilled(refill, moved=True, cost_msat=cost, moved_msat=amount)

    def advance(self) -> list[Passed]:
        """
        Let the next step's payments come; return what the node lists of them.
        """
        tape = self.tape
        first, last = tape.first[self.step], tape.first[self.step + 1]
        came = (self._arrives(payment) for payment in tape.payments[first:last])
        seen = [passed for passed in came if passed is not None]
        self._filled.clear()
        self.step += 1
        # A change takes half an hour at most to get about.
        self.known_ppm = list(self.fee_ppm)
        self._rivalry.look(self.step, self.known_ppm)
        self.ledger.passed(self.local, tape.capacity)
        self._check()
        return seen

    def _arrives(self, payment: Payment) -> Passed | None:
        at, into, out, amount, reservation, kind = payment
        if out == ANY:
            out = self._cheapest(into, amount)
        if self._heard_at[out] <= at:
            self.known_ppm[out] = self.fee_ppm[out]
            self._heard_at[out] = _NEVER
        ppm = self.known_ppm[out]
        if self._rivalry.worth(out, reservation) < ppm or amount > self.htlc_max[out]:
            return None
        fee = Msat(amount * ppm // MILLION)
        if amount + fee > self.receivable(into) or self._full(into):
            # The peer cannot even offer it.
            return None
        if amount > self.spendable(out) or self._full(out):
            self.ledger.turned_away(out, fee)
            return Passed(at, into, out, amount, fee, "local_failed")
        if kind is Kind.PROBE:
            return Passed(at, into, out, amount, fee, "failed")
        self.local[into] = Msat(self.local[into] + amount + fee)
        self.local[out] = Msat(self.local[out] - amount)
        self.ledger.forwarded(into, out, amount, fee, self.step)
        return Passed(at, into, out, amount, fee, "settled")

    def _cheapest(self, into: int, amount: Msat) -> int:
        """
        Return the cheapest channel that has *amount*, or the cheapest of all.
        """
        others = [channel for channel in range(self.tape.channels) if channel != into]
        return min(others, key=lambda c: (self.spendable(c) < amount, self.known_ppm[c], c))

    def _full(self, channel: int) -> bool:
        return self.tape.held_slots[self.step][channel] >= MAX_HTLCS

    def _check(self) -> None:
        """
        Hold the balances against the books: no millisatoshi comes from or goes to nowhere.
        """
        ledger = self.ledger
        expected = sum(self.tape.local) + ledger.income_msat - ledger.spent_msat
        if sum(self.local) != expected:
            msg = f"step {self.step}: {sum(self.local)} msat are ours, not {expected}"
            raise AssertionError(msg)
        for channel, (ours, most) in enumerate(zip(self.local, self.tape.capacity, strict=True)):
            if not 0 <= ours <= most:
                msg = f"step {self.step}: channel {channel} has {ours} of {most} msat"
                raise AssertionError(msg)
