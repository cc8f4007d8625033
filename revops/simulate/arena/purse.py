"""Purse: what a node's books hold of refills in the arena; each msat is reserved and then spent."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from revops.core import budget
from revops.core.actions import StartRebalance
from revops.core.budget import Limits, Reservation
from revops.core.config import Config
from revops.core.reputation import digested
from revops.core.snapshot import Refills, Slice
from revops.core.treasury import Attempt, Ending, Engine, Reputation, Treasury
from revops.core.units import DAY, HOUR, ChannelId, Instant, Msat, PeerId
from revops.core.value import HORIZON_DAYS
from revops.simulate.arena.world import Passed

_MONTH_S: Final = 30 * DAY
_LEARNED_S: Final = 90 * DAY
_HORIZON_S: Final = HORIZON_DAYS * DAY


def channel_id_of(channel: int) -> ChannelId:
    """
    Return the id of the channel with this number.
    """
    return ChannelId(f"{channel:064x}")


def peer_id_of(channel: int) -> PeerId:
    """
    Return the peer of the channel with this number.
    """
    return PeerId(f"02{channel:064x}")


def number_of(channel_id: ChannelId) -> int:
    """
    Return the number of a channel.
    """
    return int(channel_id, 16)


@attrs.frozen
class _Paid:
    """
    Payments of one refill that arrived at one moment.
    """

    at: Instant
    channel: int
    count: int
    amount_msat: Msat
    cost_msat: Msat


@attrs.define(eq=False)
class Purse:
    """
    Attempts and their money, as the store of the plugin keeps them; and of what was forwarded,
    what judges them.
    """

    config: Config
    _attempts: dict[int, Attempt] = attrs.field(factory=dict, init=False)
    _money: dict[int, Reservation] = attrs.field(factory=dict, init=False)
    _unsold: set[int] = attrs.field(factory=set, init=False)
    _paid: deque[_Paid] = attrs.field(factory=deque, init=False)
    # By hour: fees of the node; and by channel, what left and how often it did or failed.
    _earned: Counter[int] = attrs.field(factory=Counter, init=False)
    _left: defaultdict[int, Counter[int]] = attrs.field(
        factory=lambda: defaultdict(Counter), init=False
    )
    _counts: defaultdict[int, Counter[tuple[int, bool]]] = attrs.field(
        factory=lambda: defaultdict(Counter), init=False
    )
    _reputations: dict[PeerId, Reputation] = attrs.field(factory=dict, init=False)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """
        Return all that were made, the first one first.
        """
        return tuple(self._attempts.values())

    @property
    def open(self) -> tuple[Attempt, ...]:
        """
        Return those of which the money is not settled.
        """
        return tuple(attempt for attempt in self._attempts.values() if attempt.open)

    # What happens to the money ---------------------------------------------------------------

    def begin(self, action: StartRebalance, limits: Limits, now: Instant) -> Attempt:
        """
        Reserve what *action* may cost, and begin it.
        """
        left = budget.room(self._spending(now), limits)
        # Whoever planned it saw these very books.
        assert action.max_fee_msat <= left  # noqa: S101 -- the harness checks itself
        number = len(self._attempts) + 1
        self._attempts[number] = Attempt(
            rebalance_id=number,
            at=now,
            to_channel=action.channel_id,
            to_peer=action.peer_id,
            from_channels=tuple(source.channel_id for source in action.sources),
            amount_msat=action.amount_msat,
            chunk_msat=action.chunk_msat,
            limit_msat=action.max_fee_msat,
            before_msat=action.to_us_msat,
        )
        money = Reservation(rebalance_id=number, amount_msat=action.max_fee_msat)
        self._keep(budget.begun(money))
        return self._attempts[number]

    def moved(self, number: int, amount: Msat, cost: Msat, at: Instant) -> None:
        """
        Write down what arrived of an attempt, and what it cost.
        """
        before = self._attempts[number]
        after = attrs.evolve(
            before,
            moved_msat=Msat(before.moved_msat + amount),
            fee_msat=Msat(before.fee_msat + cost),
            moved_at=at,
        )
        assert after.fee_msat <= after.limit_msat  # noqa: S101 -- the harness checks itself
        self._attempts[number] = after
        channel, count = number_of(before.to_channel), amount // before.chunk_msat
        self._paid.append(_Paid(at, channel, count, amount, cost))

    def stop(self, number: int, ending: Ending) -> Attempt:
        """
        Write down how an attempt is to end.
        """
        self._attempts[number] = attrs.evolve(self._attempts[number], stopping=ending)
        return self._attempts[number]

    def settle(self, number: int, ending: Ending, at: Instant) -> None:
        """
        Write down how an attempt ended: its money is what it cost, or free again.
        """
        attempt, money = self._attempts[number], self._money[number]
        if attempt.moved_msat:
            money = budget.settled(money, attempt.fee_msat, at)
            self._unsold.add(number)
        else:
            money = budget.released(money, at)
        self._attempts[number] = attrs.evolve(attempt, ending=ending, ended_at=at, stopping=None)
        self._keep(money)

    def _keep(self, money: Reservation) -> None:
        number = money.rebalance_id
        self._money[number] = money
        self._attempts[number] = attrs.evolve(self._attempts[number], state=money.state)

    # What is forwarded -----------------------------------------------------------------------

    def add(self, passed: Iterable[Passed], now: Instant) -> None:
        """
        Count forwards, and what of earlier refills they sold.
        """
        for at, _, out, amount, fee, status in passed:
            if status == "settled":
                self._earned[at // HOUR] += fee
                self._left[out][at // HOUR] += amount
            if status != "local_failed":
                self._counts[out][at // HOUR, status == "settled"] += 1
        if now % HOUR == 0:
            self._judge_peers(now)
            oldest = -((_MONTH_S - now) // HOUR)
            self._earned = Counter({h: fees for h, fees in self._earned.items() if h >= oldest})
        self._mature(now)
        while self._paid and self._paid[0].at <= now - _MONTH_S:
            self._paid.popleft()

    def _judge_peers(self, now: Instant) -> None:
        for channel, counts in self._counts.items():
            peer_id, hours = peer_id_of(channel), sorted({hour for hour, _ in counts})
            slices = [
                Slice(start=h, out_count=counts[h, True], failed_count=counts[h, False])
                for h in hours
            ]
            judged = digested(self._reputations.get(peer_id), peer_id, slices, now, self.config)
            if judged is not None:
                self._reputations[peer_id] = judged
        self._counts.clear()

    def _mature(self, now: Instant) -> None:
        """
        Write down which share of what arrived left again, once the horizon is over.
        """
        for number in sorted(self._unsold):
            attempt = self._attempts[number]
            ended_at = attempt.ended_at
            if ended_at is None or ended_at > now - _HORIZON_S - HOUR:
                continue
            first = ended_at // HOUR + 1
            hours = self._left[number_of(attempt.to_channel)]
            left = sum(hours[hour] for hour in range(first, first + _HORIZON_S // HOUR))
            share = (left - attempt.before_msat) / attempt.moved_msat
            self._attempts[number] = attrs.evolve(attempt, sold=min(max(share, 0.0), 1.0))
            self._unsold.discard(number)

    # What a cycle may know -------------------------------------------------------------------

    def refills(self) -> Mapping[int, Refills]:
        """
        Return what refilling each channel took in the last 30 days.
        """
        sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        for paid in self._paid:
            part = sums[paid.channel]
            part[0] += paid.count
            part[1] += paid.amount_msat
            part[2] += paid.cost_msat
        return {
            channel: Refills(count=count, amount_msat=Msat(amount), cost_msat=Msat(cost))
            for channel, (count, amount, cost) in sums.items()
        }

    def treasury(self, now: Instant, engine: Engine) -> Treasury:
        """
        Return what a rebalancing cycle knows beside the channels.
        """
        week = sum(paid.cost_msat for paid in self._paid if paid.at >= now - 7 * DAY)
        month = sum(paid.cost_msat for paid in self._paid)
        return Treasury(
            engine=engine,
            spending=self._spending(now),
            revenue_day_msat=self._revenue(now, DAY),
            revenue_week_msat=self._revenue(now, 7 * DAY),
            refill_cost_week_msat=Msat(week),
            income_month_msat=Msat(self._revenue(now, _MONTH_S) - month),
            attempts=(a for a in self._attempts.values() if a.open or a.at >= now - _LEARNED_S),
            reputations=self._reputations.values(),
        )

    def _spending(self, now: Instant) -> budget.Spending:
        return budget.spending(self._money.values(), now)

    def _revenue(self, now: Instant, seconds: int) -> Msat:
        first = -((seconds - now) // HOUR)
        return Msat(sum(fees for hour, fees in self._earned.items() if hour >= first))
