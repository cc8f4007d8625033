"""Market: who can give how much, and who is filled best by whom."""

from collections.abc import Callable, Collection, Iterator, Sequence

import attrs

from revops.core.rebalance.amounts import Amount
from revops.core.rebalance.keep import gives
from revops.core.rebalance.pair import Giver, Pair, Taker, paired
from revops.core.units import ChannelId, Msat, PeerId

Offer = tuple[int, ChannelId, Giver]
"""What a channel loses by giving, and who it is; the cheapest sorts first."""
Barred = Callable[[ChannelId, ChannelId], object]
"""Whether nothing may go from the first to the second for now."""


@attrs.frozen(eq=False)
class Market:
    """
    What can be given, the smallest amount first.

    What a route takes depends on where it ends alone. So for any amount the best giver is the one
    that misses it least: who asks the first that may give has asked them all.
    """

    offers: tuple[tuple[Amount, tuple[Offer, ...]], ...]
    barred: Barred

    def best(
        self, taker: Taker, taken: Collection[PeerId] = (), room: Msat | None = None
    ) -> Pair | None:
        """
        Return the best refill of *taker* by who is not *taken*, for which there is *room*; if none
        pays, the one that comes nearest.
        """
        found = [
            paired(taker, offer[2], amount, offer[0])
            for amount, offers in self.offers
            if amount.total_msat <= taker.most_msat
            and (offer := next(self._asked(offers, taker, taken), None))
        ]
        if room is not None:
            fitting = [pair for pair in found if pair.pays and pair.reserve_msat <= room]
            # Rather offer less than leave of a budget what would be of use.
            found = fitting or [_for_less(pair, room) for pair in found]
        return max(found, key=_preference, default=None)

    def others(self, pair: Pair, taken: Collection[PeerId]) -> Iterator[Giver]:
        """
        Return those who are not *taken* and by whom alone *pair* would pay as well, at the same
        price: whoever of them gives how much, no mixture of them loses more than the worst.
        """
        for loss, _, giver in self._asked(dict(self.offers)[pair.amount], pair.taker, taken):
            alone = paired(pair.taker, giver, pair.amount, loss)
            if alone.terms.max_ppm < pair.terms.max_ppm:
                return
            yield giver

    def _asked(
        self, offers: Sequence[Offer], taker: Taker, taken: Collection[PeerId]
    ) -> Iterator[Offer]:
        channel_id = taker.channel.channel_id
        for offer in offers:
            if offer[2].channel.peer_id not in taken and not self.barred(offer[1], channel_id):
                yield offer


def market(givers: Sequence[Giver], amounts: Sequence[Amount], barred: Barred) -> Market:
    """
    Return what *givers* can give of *amounts*.
    """
    return Market(tuple((amount, _offers(givers, amount)) for amount in amounts), barred)


def _offers(givers: Sequence[Giver], amount: Amount) -> tuple[Offer, ...]:
    return tuple(
        sorted(
            (-giver.worth(-amount.total_msat), giver.channel.channel_id, giver)
            for giver in givers
            if gives(giver, amount)
        )
    )


def _for_less(pair: Pair, room: Msat) -> Pair:
    most = min(pair.terms.max_ppm, pair.amount.within_ppm(room))
    return attrs.evolve(pair, terms=attrs.evolve(pair.terms, max_ppm=most))


def _preference(pair: Pair) -> tuple[bool, int, int]:
    """
    Return what a refill is chosen by: its value; or where only the loss that is accepted for a
    member of the hive is at stake, how much it moves.
    """
    value = pair.terms.ev_msat
    exempt = pair.taker.prospect.tolerance_msat is not None
    return (pair.pays, 0 if exempt and pair.pays and value < 0 else value, pair.amount.total_msat)
