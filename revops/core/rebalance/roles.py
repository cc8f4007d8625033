"""Roles: who is to be filled, who can give, who neither, and why."""

from collections.abc import Callable, Iterable, Sequence

import attrs

from revops.core.reasons import Code, Reason, because
from revops.core.rebalance.amounts import Amount
from revops.core.rebalance.bets import Stake
from revops.core.rebalance.case import Case, Scene
from revops.core.rebalance.ev import cost_msat, prospect
from revops.core.rebalance.gates import DRAIN, FILL, demand_known, ends_at, first, open_channel
from revops.core.rebalance.inventory import Inventory, moved_by, spare_msat
from revops.core.rebalance.pair import Giver, Taker, Worth
from revops.core.units import MILLION, Instant, Msat, PeerId, Ppm, from_sats, sats_down, sats_up

Valuation = Callable[[Inventory, Ppm], Worth]
"""What sats are worth beside what is held, at a price."""


@attrs.frozen(kw_only=True)
class Role:
    """
    What a channel can be for in this cycle: filled, giving, or neither, and *until* when.
    """

    case: Case
    trail: tuple[Reason, ...]
    until: Instant | None = None
    taker: Taker | None = None
    giver: Giver | None = None


@attrs.frozen(kw_only=True)
class Casting:
    """
    What roles are given by.

    Attributes:
        amounts: What may be moved, the smallest first.
        losing: While rebalancing loses money.
        stake: What a refill may cost.
        valuation: What sats are worth.
    """

    scene: Scene
    amounts: Sequence[Amount]
    losing: bool
    stake: Stake
    valuation: Valuation = moved_by

    def role(self, case: Case) -> Role:
        """
        Return what *case* can be for: a channel that is short first says so.
        """
        if reason := open_channel(case, self.scene):
            return self._neither(case, reason)
        low = self.scene.config.low_liquidity_threshold
        share = case.view.peer.share
        if share < low:
            return self._short(case, because(Code.SHORT, share=share, threshold=low))
        return self._ample(case, because(Code.NOT_SHORT, share=share, threshold=low))

    def _short(self, case: Case, short: Reason) -> Role:
        reason = first(FILL, case, self.scene)
        if reason or case.held is None or case.cost_ppm is None:
            return self._neither(case, reason, short)
        wanted = _wanted(case, case.held)
        most = self._most(case, case.held, case.cost_ppm)
        if isinstance(most, Reason):
            return Role(case=case, trail=(short, wanted, most))
        chance = self.scene.experience.chance(case.channel.peer_id)
        promised = prospect(
            chance,
            case.cost_ppm,
            case.price_ppm,
            self.scene.config,
            hive=case.hive,
            losing=self.losing,
        )
        taker = Taker(case.channel, promised, most, self.valuation(case.held, case.price_ppm))
        return Role(case=case, trail=(short, wanted), taker=taker)

    def _most(self, case: Case, held: Inventory, cost: Ppm) -> Msat | Reason:
        """
        Return how much may be added, or why nothing.
        """
        least = self._least
        needed = case.target_msat - held.to_us_msat
        if needed <= 0:
            target, ours = sats_down(case.target_msat), sats_down(held.to_us_msat)
            return because(Code.COVERED, target_sats=target, to_us_sats=ours)
        most = Msat(min(needed, case.channel.receivable_msat))
        if most < least:
            has, asked = sats_down(most), sats_up(least)
            return because(Code.TOO_LITTLE, most_sats=has, least_sats=asked)
        stake = self.stake(case, cost)
        if stake is None or not cost:
            return most
        needs = cost_msat(least, cost)
        if stake < needs:
            chance = self.scene.experience.sale_chance(case.channel.channel_id)
            return because(Code.KELLY, chance=chance, stake_msat=stake, needed_msat=needs)
        return Msat(min(most, stake * MILLION // cost))

    @property
    def _least(self) -> Msat:
        if self.amounts:
            return self.amounts[0].total_msat
        return from_sats(self.scene.config.rebalance_min_amount)

    def _ample(self, case: Case, ample: Reason) -> Role:
        config, held = self.scene.config, case.held
        reason = demand_known(case, self.scene)
        if reason or held is None:
            return self._neither(case, reason, ample)
        low, high = config.low_liquidity_threshold, config.high_liquidity_threshold
        spare = spare_msat(held, case.target_msat, low, high)
        spare = min(spare, case.channel.spendable_msat, case.channel.to_us_msat)
        if spare < self._least:
            return Role(case=case, trail=(ample,))
        can = because(
            Code.CAN_GIVE,
            spare_sats=sats_down(spare),
            target_sats=sats_down(case.target_msat),
            price_ppm=case.price_ppm,
        )
        if reason := first(DRAIN, case, self.scene):
            return self._neither(case, reason, ample, can)
        giver = Giver(case.channel, spare, case.price_ppm, self.valuation(held, case.price_ppm))
        return Role(case=case, trail=(ample, can), giver=giver)

    def _neither(self, case: Case, reason: Reason | None, *trail: Reason) -> Role:
        # What is unknown has its reason; only the types cannot tell.
        until = ends_at(reason, case, self.scene) if reason else None
        return Role(case=case, trail=(*trail, *filter(None, [reason])), until=until)


def _wanted(case: Case, held: Inventory) -> Reason:
    return because(
        Code.WANTED,
        target_sats=sats_down(case.target_msat),
        to_us_sats=sats_down(held.to_us_msat),
        out_sats=sats_down(Msat(int(held.out_msat))),
        in_sats=sats_down(Msat(int(held.in_msat))),
        price_ppm=case.price_ppm,
    )


def one_for_each_peer(roles: Iterable[Role]) -> list[Role]:
    """
    Return *roles* with one channel of each peer to be filled: the one that has most room.
    """
    found = list(roles)
    most: dict[PeerId, Taker] = {}
    for taker in (role.taker for role in found if role.taker):
        other = most.get(taker.channel.peer_id)
        if other is None or other.channel.receivable_msat < taker.channel.receivable_msat:
            most[taker.channel.peer_id] = taker
    return [
        attrs.evolve(role, taker=None, trail=(*role.trail, _sibling(most[peer_id])))
        if role.taker and most[peer_id := role.taker.channel.peer_id] is not role.taker
        else role
        for role in found
    ]


def _sibling(taker: Taker) -> Reason:
    return because(Code.SIBLING, scid=taker.channel.scid or "")
