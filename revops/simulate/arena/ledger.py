"""Ledger: what a node earned and spent in a tape, and how its channels fared."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import attrs

from revops.core.units import Msat
from revops.simulate.arena.market import STEPS_A_DAY

DEPLETED_PERCENT: Final = 5
SATURATED_PERCENT: Final = 95


@attrs.define(eq=False)
class Ledger:
    """
    The books of one run. A list has an entry a channel.

    Attributes:
        earned, sourced: Fees of what left here, and of what entered here.
        out_msat, in_msat: What left and what it brought.
        out_count: How often.
        refused: Payments that came and could not leave.
        missed_msat: What those would have paid.
        spent: What refilling the channel cost.
        refilled_msat, refills: How much that moved, and how often.
        updates: Fee updates, by channel and day.
        income_by_day, spent_by_day: Of the node.
        net_by: What was earned less what was spent, by channel and day.
        depleted, saturated: Steps that ended with hardly anything on our side, or on the other.
        steps: How many there were.
    """

    channels: int
    earned: list[int] = attrs.field(init=False)
    sourced: list[int] = attrs.field(init=False)
    out_msat: list[int] = attrs.field(init=False)
    in_msat: list[int] = attrs.field(init=False)
    out_count: list[int] = attrs.field(init=False)
    refused: list[int] = attrs.field(init=False)
    spent: list[int] = attrs.field(init=False)
    refilled_msat: list[int] = attrs.field(init=False)
    refills: list[int] = attrs.field(init=False)
    depleted: list[int] = attrs.field(init=False)
    saturated: list[int] = attrs.field(init=False)
    updates: Counter[tuple[int, int]] = attrs.field(factory=Counter, init=False)
    income_by_day: Counter[int] = attrs.field(factory=Counter, init=False)
    spent_by_day: Counter[int] = attrs.field(factory=Counter, init=False)
    net_by: Counter[tuple[int, int]] = attrs.field(factory=Counter, init=False)
    missed_msat: int = attrs.field(default=0, init=False)
    steps: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        for name in _PER_CHANNEL:
            setattr(self, name, [0] * self.channels)

    @property
    def income_msat(self) -> Msat:
        """
        Return all fees earned.
        """
        return Msat(sum(self.earned))

    @property
    def spent_msat(self) -> Msat:
        """
        Return all that refills cost.
        """
        return Msat(sum(self.spent))

    def forwarded(self, into: int, out: int, amount: Msat, fee: Msat, step: int) -> None:
        """
        Book a forward of *amount*.
        """
        self.earned[out] += fee
        self.sourced[into] += fee
        self.out_msat[out] += amount
        self.out_count[out] += 1
        self.in_msat[into] += amount + fee
        self.income_by_day[step // STEPS_A_DAY] += fee
        self.net_by[out, step // STEPS_A_DAY] += fee

    def refilled(self, target: int, amount: Msat, cost: Msat, step: int) -> None:
        """
        Book a refill of *target*.
        """
        self.spent[target] += cost
        self.refilled_msat[target] += amount
        self.refills[target] += 1
        self.spent_by_day[step // STEPS_A_DAY] += cost
        self.net_by[target, step // STEPS_A_DAY] -= cost

    def turned_away(self, out: int, fee: Msat) -> None:
        """
        Book a payment that came and could not leave.
        """
        self.refused[out] += 1
        self.missed_msat += fee

    def updated(self, channel: int, step: int) -> None:
        """
        Book a fee update.
        """
        self.updates[channel, step // STEPS_A_DAY] += 1

    def passed(self, local: Sequence[Msat], capacity: Sequence[Msat]) -> None:
        """
        Book what a step left on our side.
        """
        self.steps += 1
        for channel, (ours, most) in enumerate(zip(local, capacity, strict=True)):
            if ours * 100 < most * DEPLETED_PERCENT:
                self.depleted[channel] += 1
            elif ours * 100 > most * SATURATED_PERCENT:
                self.saturated[channel] += 1


_PER_CHANNEL: Final = (
    *("earned", "sourced", "out_msat", "in_msat", "out_count", "refused"),
    *("spent", "refilled_msat", "refills", "depleted", "saturated"),
)
