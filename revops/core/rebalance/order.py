"""Order: what the operator wants to be moved, as far as it can be; force asks for no profit."""

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from revops.core.actions import Hold, StartRebalance
from revops.core.budget import limits
from revops.core.checks import MOST_MSAT
from revops.core.config import Config
from revops.core.plan import Decision
from revops.core.prepare import prepared
from revops.core.reasons import Code, Reason, because
from revops.core.rebalance.amounts import Amount
from revops.core.rebalance.case import Case, Scene, cases, scene
from revops.core.rebalance.ev import Prospect, cost_msat, prospect
from revops.core.rebalance.gates import (
    DRAIN,
    FILL,
    Gate,
    demand_known,
    first,
    open_channel,
    unclaimed,
    unengaged,
)
from revops.core.rebalance.inventory import KEPT, moved_by
from revops.core.rebalance.keep import SLACK, gives
from revops.core.rebalance.market import market
from revops.core.rebalance.means import Means, means
from revops.core.rebalance.pair import Giver, Taker, Worth, paired
from revops.core.rebalance.pairing import Refused, Started, chosen
from revops.core.rebalance.said import proposal, refusal, start, starting
from revops.core.snapshot import Snapshot
from revops.core.treasury import Treasury
from revops.core.units import ChannelId, Msat, Ppm, from_sats, sats_down, sats_up


def _there(case: Case, _scene: Scene) -> Reason | None:
    """
    Nothing moves by a peer that is not there.
    """
    return None if case.channel.connected else because(Code.OFFLINE)


_ALWAYS: Final[tuple[Gate, ...]] = (open_channel, unengaged, _there, unclaimed)
"""What no force opens: there nothing could be moved, or nobody could tell what it cost."""
_FILL: Final[tuple[Gate, ...]] = (open_channel, *FILL)
_DRAIN: Final[tuple[Gate, ...]] = (open_channel, demand_known, *DRAIN)


@attrs.frozen(kw_only=True)
class Order:
    """
    What the operator wants.

    Attributes:
        to_channels: Of these, the one with most room is filled.
        from_channels: These may give; of other peers than the former.
        most_fee_msat: The most that all of it may cost; `None` leaves that to what it brings, or
            with *force* to `rebalance-max-ppm`.
        force: Whatever it brings; the budget, the reserve and what can be done at all still count.
    """

    to_channels: frozenset[ChannelId]
    from_channels: frozenset[ChannelId]
    amount_sats: int
    most_fee_msat: Msat | None
    force: bool


def ordered(order: Order, snapshot: Snapshot, config: Config) -> Decision:
    """
    Return what is to be done about *order*: to start it, or to hold, with the reason last.

    Pure, as `rebalance` is.
    """
    treasury = snapshot.treasury or Treasury()
    # What revops may do by itself says nothing about what it is told to do.
    config = attrs.evolve(config, authority="liquidity")
    most = limits(config, treasury.revenue_day_msat, treasury.revenue_week_msat)
    have = means(snapshot, treasury, most, config)
    seen = scene(snapshot.channels, treasury, snapshot.now, config)
    known = cases(prepared(snapshot, config).views, seen)
    to = max(
        (case for case in known if case.channel.channel_id in order.to_channels),
        key=lambda case: (case.channel.scid is not None, case.channel.receivable_msat),
    )
    givers = [case for case in known if case.channel.channel_id in order.from_channels]
    desk = _Desk(order=order, scene=seen, have=have, single=treasury.one_at_a_time)
    action, trail = desk.answer(to, givers)
    terms = "whatever it earns" if order.force else "if it pays"
    said = because(Code.REFILL_ORDERED, amount_sats=order.amount_sats, terms=terms)
    return Decision(
        channel_id=to.channel.channel_id,
        scid=to.channel.scid,
        peer_id=to.channel.peer_id,
        area="rebalance",
        action=action,
        trail=(said, *trail),
    )


Answer = tuple[StartRebalance | Hold, tuple[Reason, ...]]


@attrs.frozen(kw_only=True)
class _Desk:
    """
    Where an order is looked into.
    """

    order: Order
    scene: Scene
    have: Means
    single: bool

    @property
    def amount(self) -> Amount:
        """
        Return what is ordered in equal payments, none above `rebalance-chunk` where several can be
        told apart: up to a few sats less.
        """
        config, sats = self.scene.config, self.order.amount_sats
        count = 1 if self.single else -(-sats // config.rebalance_chunk)
        chunk = from_sats(sats // count)
        piece = Msat(chunk + cost_msat(chunk, config.rebalance_max_ppm))
        return Amount(count, chunk, Msat(chunk * count), piece)

    @property
    def most_ppm(self) -> Ppm:
        """
        Return the most that a payment may cost, whatever it brings.
        """
        most, fee = self.scene.config.rebalance_max_ppm, self.order.most_fee_msat
        return most if fee is None else min(most, self.amount.within_ppm(fee))

    def answer(self, to: Case, givers: Sequence[Case]) -> Answer:
        """
        Return what is done, and why.
        """
        if problem := self._problem(to):
            return Hold(), (problem,)
        able, why = self._able(givers)
        if not able:
            return Hold(), (because(Code.NO_SOURCE), *why)
        if problem := self._too_cheap(to) or self._too_dear():
            return Hold(), (problem,)
        promised = self._promised(to)
        place = market(able, (self.amount,), _nothing_barred)
        taker = Taker(to.channel, promised, self.amount.total_msat, _worth(to))
        choice = chosen(place, [taker], 1, self.have.room_msat)[to.channel.channel_id]
        if isinstance(choice, Refused):
            return Hold(), refusal(choice, self.have)
        return self._start(to, choice)

    def _problem(self, to: Case) -> Reason | None:
        gates = _ALWAYS if self.order.force else _FILL
        if problem := self.have.block or first(gates, to, self.scene):
            return problem
        most = to.channel.receivable_msat
        if self.amount.total_msat <= most:
            return None
        return because(Code.NO_ROOM, amount_sats=self.order.amount_sats, most_sats=sats_down(most))

    def _able(self, givers: Iterable[Case]) -> tuple[list[Giver], tuple[Reason, ...]]:
        """
        Return who can give all of it, and why the last of the others, if any, cannot.
        """
        gates = _ALWAYS if self.order.force else _DRAIN
        able: list[Giver] = []
        why: tuple[Reason, ...] = ()
        for case in givers:
            giver = Giver(case.channel, _spare_msat(case), case.price_ppm, _worth(case))
            problem = first(gates, case, self.scene)
            if problem is None and gives(giver, self.amount):
                able.append(giver)
            else:
                why = (problem or self._unable(giver),)
        return able, why

    def _unable(self, giver: Giver) -> Reason:
        channel, amount = giver.channel, self.amount
        return because(
            Code.CANNOT_GIVE,
            scid=channel.scid or "",
            needed_sats=sats_up(Msat(amount.count * amount.piece_msat + SLACK)),
            spare_sats=sats_down(giver.spare_msat),
            chunk_sats=sats_down(amount.chunk_msat),
            htlc_max_sats=sats_down(
                channel.spendable_msat if channel.htlc_max_msat is None else channel.htlc_max_msat
            ),
        )

    def _too_cheap(self, to: Case) -> Reason | None:
        """
        Return why the operator's own limit finds no route.
        """
        needed = (0 if self.order.force else to.cost_ppm) or 1
        fee = self.order.most_fee_msat
        if fee is None or self.amount.within_ppm(fee) >= needed:
            return None
        return because(
            Code.FEE_TOO_LOW,
            cost_ppm=needed,
            fee_sats=sats_down(fee),
            needed_sats=sats_up(self.amount.reserve_msat(Ppm(needed))),
        )

    def _too_dear(self) -> Reason | None:
        """
        Return why the budget has no room for it: with force it would be used up to the end, by
        less than any route takes.
        """
        reserve, room = self.amount.reserve_msat(self.most_ppm), self.have.room_msat
        if not self.order.force or reserve <= room:
            return None
        return because(Code.BUDGET_SHORT, reserve_sats=sats_up(reserve), room_sats=sats_down(room))

    # What it comes to ----------------------------------------------------------------------

    def _prospect(self, to: Case) -> Prospect:
        promised = prospect(
            self.scene.experience.chance(to.channel.peer_id),
            self.most_ppm if to.cost_ppm is None else to.cost_ppm,
            to.price_ppm,
            self.scene.config,
            hive=to.hive,
            losing=self.have.losing,
        )
        return attrs.evolve(promised, most_ppm=self.most_ppm)

    def _promised(self, to: Case) -> Prospect:
        """
        Return what it has to reach: with force, nothing.
        """
        promised = self._prospect(to)
        if not self.order.force:
            return promised
        return attrs.evolve(promised, cost_ppm=Ppm(1), tolerance_msat=Msat(MOST_MSAT))

    def _start(self, to: Case, choice: Started) -> Answer:
        """
        Return the start of *choice*, with its terms as they are whatever was asked for.
        """
        giver = choice.pair.giver
        taker = attrs.evolve(choice.pair.taker, prospect=self._prospect(to))
        pair = paired(taker, giver, self.amount, -giver.worth(-self.amount.total_msat))
        most = attrs.evolve(pair.terms, max_ppm=choice.pair.terms.max_ppm)
        begun = attrs.evolve(choice, pair=attrs.evolve(pair, terms=most))
        known = to.held is not None and to.held.demand is not None
        told = (proposal(pair),) if known else ()
        return attrs.evolve(start(begun), ordered=True), (*told, starting(begun)[-1])


def _spare_msat(case: Case) -> Msat:
    """
    Return what a channel can give if nobody asks what for: all but what sling leaves.
    """
    channel = case.channel
    return Msat(max(0, min(channel.spendable_msat, channel.to_us_msat - KEPT)))


def _worth(case: Case) -> Worth:
    """
    Return what it changes in value when so much is added, or taken; where nobody knows what would
    leave, that has no value.
    """
    if case.held is None or case.held.demand is None:
        return lambda _amount: Msat(0)
    return moved_by(case.held, case.price_ppm)


def _nothing_barred(_giver: ChannelId, _taker: ChannelId) -> None:
    """
    The operator may send back what came; it still has to pay.
    """
