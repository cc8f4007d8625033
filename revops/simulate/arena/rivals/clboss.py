"""CLBOSS: what others charge, times the balance, times a card that is played for two days."""

from typing import Final

import attrs

from revops.core.chance import draw
from revops.core.units import Msat, Ppm, from_sats
from revops.simulate.arena.play import Observation, Orders, Start
from revops.simulate.arena.rivals.common import changed, earned, going, priced, shares
from revops.simulate.arena.world import Refill

_STEEPNESS: Final = 50.0
_BIN_MSAT: Final = from_sats(200_000)
_BINS: Final = (4, 50)
_HAND: Final = 2
"""Cards on either side of the middle one."""
_CARD_STEPS: Final = 96
"""288 ticks of ten minutes."""
_HOUR_STEPS: Final = 2
_RISE, _FALL = 1.2, 0.8


def by_balance(share: float, capacity: Msat) -> float:
    """
    Return the factor of a balance, which is told in bins only.
    """
    bins = min(max(round(capacity / _BIN_MSAT), _BINS[0]), _BINS[1])
    middle = (min(int(share * bins), bins - 1) + 0.5) / bins
    return float(_STEEPNESS ** (0.5 - middle))


def by_card(card: int) -> float:
    """
    Return the factor of a card.
    """
    return float(_RISE**card if card >= 0 else _FALL**-card)


@attrs.define
class _Game:
    """
    One peer's game: five cards around a middle one in any order, each for two days; the one that
    earned most is the next middle.
    """

    seed: int
    name: str
    middle: int = 0
    deck: list[int] = attrs.field(factory=list)
    won: dict[int, int] = attrs.field(factory=dict)
    left: int = 0
    games: int = 0

    @property
    def card(self) -> int:
        """
        Return the card on the table.
        """
        return self.deck[0] if self.deck else self.middle

    def turn(self, income: int) -> None:
        """
        Book what the card has earned, and play the next one when its time is over.
        """
        if self.deck:
            self.won[self.card] = self.won.get(self.card, 0) + income
        self.left -= 1
        if self.left > 0:
            return
        self.left = _CARD_STEPS
        self.deck = self.deck[1:]
        if not self.deck:
            self._deal()

    def _deal(self) -> None:
        if any(self.won.values()):
            self.middle = max(sorted(self.won), key=self.won.__getitem__)
        self.games += 1
        cards = range(self.middle - _HAND, self.middle + _HAND + 1)
        self.deck = sorted(cards, key=self._shuffled)
        self.won = {}

    def _shuffled(self, card: int) -> float:
        return draw(self.seed, "card", self.name, str(self.games), str(card))


class Clboss:
    """
    CLBOSS's prices, each hour; and its rebalancer where that is asked for.
    """

    SHORT: Final = 0.25
    TARGET: Final = 0.75
    GAP: Final = 0.025
    TOP: Final = 0.2
    MOST_PPM: Final = Ppm(1000)

    def __init__(self, start: Start, *, rebalances: bool = False) -> None:
        self._seed = start.seed
        self._games = [_Game(start.seed, str(n)) for n in range(len(start.capacity))]
        self._rebalances = rebalances
        # By channel, for ever: fees of what left and of what entered, less what refills took.
        self._out_net = [0] * len(start.capacity)
        self._in_net = [0] * len(start.capacity)

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices, and perhaps a refill.
        """
        income = earned(seen)
        self._book(seen)
        for channel, game in enumerate(self._games):
            game.turn(income.get(channel, 0))
        if seen.step % _HOUR_STEPS:
            return Orders({})
        fees = {
            channel: priced(base * by_balance(share, capacity) * by_card(game.card))
            for channel, (base, share, capacity, game) in enumerate(
                zip(going(seen), shares(seen), seen.capacity, self._games, strict=True)
            )
        }
        return Orders(changed(seen, fees), self._refills(seen) if self._rebalances else ())

    def _book(self, seen: Observation) -> None:
        for passed in seen.passed:
            if passed.status == "settled":
                self._out_net[passed.out] += passed.fee_msat
                self._in_net[passed.into] += passed.fee_msat
        for result in seen.refilled:
            self._out_net[result.refill.target] -= result.cost_msat
            self._in_net[result.refill.source] -= result.cost_msat

    def _refills(self, seen: Observation) -> tuple[Refill, ...]:
        """
        Return one refill, half of the time, for a pair among the fifth that earned most.
        """
        if draw(self._seed, "rebalance", str(seen.step)) >= 0.5:  # noqa: PLR2004 -- a coin
            return ()
        parts = shares(seen)
        pairs = [
            (self._out_net[target] + self._in_net[source], target, source)
            for target, short in enumerate(parts)
            if short < self.SHORT and self._out_net[target] > 0
            for source, share in enumerate(parts)
            if share >= self.SHORT + self.GAP
        ]
        if not pairs:
            return ()
        best = sorted(pairs, reverse=True)[: max(int(len(pairs) * self.TOP), 1)]
        pick = int(draw(self._seed, "pair", str(seen.step)) * len(best))
        _, target, source = best[pick]
        return (self._refill(seen, target, source),)

    def _refill(self, seen: Observation, target: int, source: int) -> Refill:
        wanted = int(seen.capacity[target] * self.TARGET) - seen.local[target]
        spare = seen.local[source] - int(seen.capacity[source] * self.SHORT)
        amount = Msat(min(wanted, spare, seen.receivable[target], seen.spendable[source]))
        budget = self._out_net[target] * 1_000_000 // max(amount, 1)
        return Refill(source, target, amount, Ppm(min(self.MOST_PPM, budget)))
