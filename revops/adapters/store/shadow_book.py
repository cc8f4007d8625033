"""The shadow book: what a config that is not obeyed remembers, and what it would have done."""

import sqlite3
from collections.abc import Sequence

import attrs

from revops.adapters import wire
from revops.adapters.store import shadow_cycles
from revops.adapters.store.cost_book import Transaction
from revops.adapters.store.shadow_cycles import Run
from revops.core.actions import StartRebalance
from revops.core.memory import ChannelMemory, Memory, Price
from revops.core.plan import Area, Decision, Plan, RebalancePlan
from revops.core.shadow import Compared, Difference
from revops.core.units import ChannelId, Instant


@attrs.frozen(kw_only=True)
class Differed:
    """
    Where the last cycle of an area decided otherwise, and when that was.

    Attributes:
        live: What the live config decided then; `None` once it has decided again.
    """

    at: Instant
    difference: Difference
    live: Decision | None


@attrs.frozen(kw_only=True)
class CycleSums:
    """
    Cycles of an area, added up; see Compared.
    """

    cycles: int
    channels: int
    differing: int
    over_ppm: int
    apart_ppm: int


@attrs.frozen(kw_only=True)
class Doings:
    """
    What was done in a time, and what would have been.

    Attributes:
        live_updates, shadow_updates: How many prices.
        live_refills: How many rebalances that nobody ordered.
        shadow_refills: Each that would have been begun.
    """

    live_updates: int
    shadow_updates: int
    live_refills: int
    shadow_refills: tuple[StartRebalance, ...]


class ShadowBook:
    """
    The run under way: its memory, where it differs, what it would have done. Every method is one
    transaction.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    def run(self) -> Run | None:
        """
        Return the run under way.
        """
        return self._read(shadow_cycles.run)

    def memory(self) -> Memory | None:
        """
        Return what its last fee cycle left; `None` before that.
        """
        return self._read(shadow_cycles.left)

    def begin(self, config: str, at: Instant) -> Run:
        """
        Return a new run of *config*, without memory; any other is over.
        """
        return self._write(shadow_cycles.begin, config, at)

    def end(self, at: Instant) -> None:
        """
        Have no run under way.
        """
        self._write(shadow_cycles.end, at)

    def write_prices(
        self, run: Run, compared: Compared, plan: Plan, changed: Sequence[ChannelMemory]
    ) -> None:
        """
        Write down a fee cycle of *run* whole; *changed* are the channels of its memory that its
        last one left otherwise. Of a run that is over nothing is.
        """
        self._write(shadow_cycles.write_prices, run, compared, plan, changed)

    def write_refills(
        self, run: Run, compared: Compared, plan: RebalancePlan, rested_since: Instant
    ) -> None:
        """
        Write down a rebalancing cycle of *run* whole, but of refills only those of channels for
        which there was none after *rested_since*: what is not done is wanted again.
        """
        self._write(shadow_cycles.write_refills, run, compared, plan, rested_since)

    def differences(self, area: Area, channel_id: ChannelId | None = None) -> tuple[Differed, ...]:
        """
        Return where the last cycle of the run under way decided otherwise: about one channel, or
        about all by channel id.
        """
        return self._read(_differences, area, channel_id)

    def sums(self, run: Run, area: Area, since: Instant) -> CycleSums:
        """
        Return the cycles of *run* from *since* on, added up.
        """
        return self._read(_sums, run, area, since)

    def doings(self, run: Run, since: Instant) -> Doings:
        """
        Return what was done from *since* on, and what *run* would have done.
        """
        return self._read(_doings, run, since)


# Reports --------------------------------------------------------------------------------------


def _differences(
    connection: sqlite3.Connection, area: Area, channel_id: ChannelId | None
) -> tuple[Differed, ...]:
    rows = connection.execute(
        "SELECT at, channel_id, s.scid, s.peer_id, s.action, s.trail, live.action, live.trail,"
        " live_ppm, live_base_msat, shadow_ppm, shadow_base_msat"
        " FROM shadow_decisions s LEFT JOIN decisions live USING (channel_id, area, at)"
        " WHERE area = ? AND channel_id = ifnull(?, channel_id) ORDER BY channel_id",
        (area, channel_id),
    )
    found = []
    for at, own, scid, peer_id, *rest in rows:
        action, trail, live_action, live_trail, *prices = rest
        decision = Decision(
            channel_id=own,
            scid=scid,
            peer_id=peer_id,
            area=area,
            action=wire.read_action(action),
            trail=wire.read_trail(trail),
        )
        live = live_action and attrs.evolve(
            decision, action=wire.read_action(live_action), trail=wire.read_trail(live_trail)
        )
        difference = Difference(
            decision=decision, live=_price(prices[:2]), shadow=_price(prices[2:])
        )
        found.append(Differed(at=at, difference=difference, live=live))
    return tuple(found)


def _price(parts: Sequence[int | None]) -> Price | None:
    fee_ppm, base_fee_msat = parts
    if fee_ppm is None or base_fee_msat is None:
        return None
    return Price(fee_ppm=fee_ppm, base_fee_msat=base_fee_msat)  # type: ignore[arg-type]  # whole numbers


def _sums(connection: sqlite3.Connection, run: Run, area: Area, since: Instant) -> CycleSums:
    names = tuple(field.name for field in attrs.fields(CycleSums))
    row = connection.execute(
        "SELECT count(*), total(channels), total(differing), total(over_ppm), total(apart_ppm)"
        " FROM shadow_cycles WHERE (run, area) = (?, ?) AND at >= ?",
        (run.run_id, area, since),
    ).fetchone()
    return CycleSums(**dict(zip(names, map(int, row), strict=True)))


def _doings(connection: sqlite3.Connection, run: Run, since: Instant) -> Doings:
    (live_updates,) = connection.execute(
        "SELECT count(*) FROM fee_history WHERE at >= ?"
        " AND (old_ppm, old_base_msat) != (new_ppm, new_base_msat)",
        (since,),
    ).fetchone()
    (live_refills,) = connection.execute(
        "SELECT count(*) FROM rebalance_log WHERE at >= ? AND NOT ordered", (since,)
    ).fetchone()
    (shadow_updates,) = connection.execute(
        "SELECT count(*) FROM shadow_journal WHERE (run, area) = (?, 'fee') AND at >= ?",
        (run.run_id, since),
    ).fetchone()
    refills = connection.execute(
        "SELECT action FROM shadow_journal WHERE (run, area) = (?, 'rebalance') AND at >= ?",
        (run.run_id, since),
    )
    actions = [wire.read_action(action) for (action,) in refills]
    return Doings(
        live_updates=live_updates,
        shadow_updates=shadow_updates,
        live_refills=live_refills,
        shadow_refills=tuple(a for a in actions if isinstance(a, StartRebalance)),
    )
