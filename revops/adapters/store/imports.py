"""Imports: what a predecessor's database held, taken over once, and no forward counted twice."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs

from revops.adapters.store import policies, predecessor
from revops.adapters.store.costs import ESTIMATE
from revops.adapters.store.forwards import LIFE, know_channels
from revops.adapters.store.inherited import MARK
from revops.adapters.store.predecessor import Predecessor
from revops.adapters.store.predecessor_rows import (
    CloseCost,
    Closed,
    DaySum,
    Forward,
    Ignored,
    OpenCost,
    Override,
    RefillCost,
    SpliceCost,
    Wishes,
)
from revops.core.costs import Kind
from revops.core.policy import Policy, PolicyBook, PolicyChange
from revops.core.takeover import HOW, USUAL_SATS, channel_id_of, ignored, policy_of
from revops.core.units import DAY, ChannelId, Instant, Scid, from_sats

_OWN: Final = "these books have one of their own"
_BEGUN: Final = "these books count from the node's own lists already"

# Column names are the books' own, so that nothing from outside gets into these statements.
_ADD_DAY: Final = f"""
    INSERT INTO imported_days (scid, day, {", ".join(LIFE)}) VALUES (?, ?{", ?" * len(LIFE)})
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in LIFE)}
"""  # noqa: S608 -- see above
_ADD_COST: Final = """
    INSERT INTO costs (channel_id, kind, ref, at, msat, estimated)
    SELECT :channel_id, :kind, :ref, :at, :msat, :estimated WHERE :kind = 'splice' OR NOT EXISTS (
    SELECT 1 FROM costs WHERE channel_id = :channel_id AND kind = :kind)
    ON CONFLICT DO NOTHING
"""
_ADD_CLOSED: Final = (
    """
    INSERT INTO channels (channel_id, scid, peer_id, opener, capacity_msat, opened_at,
    first_seen_at, last_seen_at)
    VALUES (:channel_id, :scid, :peer_id, :opener, :capacity_msat, :opened_at, :closed_at,
    :closed_at)
    """,
    """
    INSERT INTO closed_channels (channel_id, closed_at, how, resolved)
    VALUES (:channel_id, :closed_at, :how, 1)
    """,
)


def take(connection: sqlite3.Connection, path: Path, now: Instant) -> dict[str, Any] | None:
    """
    Take over what the predecessor's database at *path* holds, and return the report; `None` when
    something was taken over before.

    Its forwards wait until the node's own list is counted; see
    `inherited`. So do costs of channels of which only a short channel id is known.

    Raises:
        StoreError: It cannot be read.
    """
    if connection.execute("SELECT 1 FROM imports").fetchone():
        return None
    begun = connection.execute("SELECT 1 FROM cursors").fetchone() is not None
    with predecessor.opened(path, now) as theirs:
        _take_policies(connection, theirs, now)
        _take_costs(connection, theirs)
        _take_closed(connection, theirs, now)
        if begun:
            theirs.report.refuse_in("forwards", "all", _BEGUN)
            theirs.report.refuse_in("rebalance_costs", "all", _BEGUN)
        else:
            _take_refills(connection, theirs)
            _take_forwards(connection, theirs)
        for override in theirs.rows(Override):
            theirs.report.settings[override.key] = override.value
    report = {"path": str(path), "at": now, **attrs.asdict(theirs.report), "forwards": None}
    connection.execute("INSERT INTO imports VALUES (?, ?, ?)", (str(path), now, json.dumps(report)))
    return report


def read(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """
    Return the report of what was taken over; `None` if nothing was.
    """
    row = connection.execute("SELECT report FROM imports").fetchone()
    return json.loads(row[0]) if row else None


# Policies --------------------------------------------------------------------------------------


def _take_policies(connection: sqlite3.Connection, theirs: Predecessor, now: Instant) -> None:
    before = policies.read(connection, None)
    taken = {policy.peer_id: policy for policy in before.policies}
    new = []
    for row, policy in _policies(theirs):
        if policy.expires_at is not None and policy.expires_at <= now:
            theirs.report.refuse(row, "it has expired")
        elif policy.peer_id in taken:
            theirs.report.refuse(row, _OWN)
        else:
            theirs.report.take(row)
            taken[policy.peer_id] = policy
            new.append(PolicyChange(peer_id=policy.peer_id, at=now))
    book = PolicyBook(policies=tuple(taken.values()), changes=(*before.changes, *new))
    policies.save(connection, book, before)


def _policies(theirs: Predecessor) -> Iterator[tuple[attrs.AttrsInstance, Policy]]:
    for row in theirs.rows(Wishes):
        tags: object = row.tags
        if isinstance(tags, str):
            with suppress(ValueError):  # It is no list of words then, which policy_of tells.
                tags = json.loads(tags)
        wishes = {
            "fee_ppm": row.fee_ppm_target,
            "rebalance": row.rebalance_mode,
            "tags": [] if tags is None else tags,
            "updated_at": row.updated_at,
            "fee_multiplier_min": row.fee_multiplier_min,
            "fee_multiplier_max": row.fee_multiplier_max,
            "expires_at": row.expires_at,
        }
        policy, problems = policy_of(row.peer_id, row.strategy, wishes)
        for problem in problems:
            theirs.report.refuse(row, problem)
        if policy is not None:
            yield row, policy
    for peer in theirs.rows(Ignored):
        yield peer, ignored(peer.peer_id)


# Channels and costs ----------------------------------------------------------------------------


def _take_costs(connection: sqlite3.Connection, theirs: Predecessor) -> None:
    for opening in theirs.rows(OpenCost):
        # Nothing stands there for what was not found out, too.
        if opening.open_cost_sats:
            at, sats = opening.opened_at, opening.open_cost_sats
            _add_cost(connection, opening.channel_id, "open", at, sats)
        theirs.report.take(opening)
    for end in theirs.rows(CloseCost):
        sats = end.total_closure_cost_sats
        _add_cost(connection, end.channel_id, "close", end.closed_at, sats, end.closing_txid)
        theirs.report.take(end)
    for splice in theirs.rows(SpliceCost):
        ref = splice.txid if _is_txid(splice.txid) else f"{MARK}:{splice.id}"
        _add_cost(connection, splice.channel_id, "splice", splice.timestamp, splice.fee_sats, ref)
        theirs.report.take(splice)


def _add_cost(
    connection: sqlite3.Connection,
    channel: str,
    kind: Kind,
    at: Instant | None,
    sats: int,
    ref: object = None,
) -> None:
    # What nobody can date is before every window, and no more than an estimate of when.
    estimated = at is None or sats == USUAL_SATS[kind]
    if kind != "splice":
        ref = ESTIMATE if estimated else ref if _is_txid(ref) else MARK
    connection.execute(
        _ADD_COST,
        {
            "channel_id": _owner(connection, channel),
            "kind": kind,
            "ref": ref,
            "at": at or 0,
            "msat": from_sats(sats),
            "estimated": int(estimated),
        },
    )


def _take_closed(connection: sqlite3.Connection, theirs: Predecessor, now: Instant) -> None:
    for row in theirs.rows(Closed):
        if row.open_cost_sats:
            _add_cost(connection, row.channel_id, "open", row.opened_at, row.open_cost_sats)
        _add_cost(connection, row.channel_id, "close", row.closed_at, row.closure_cost_sats)
        owner = _owner(connection, row.channel_id)
        scid = Scid(row.channel_id) if "x" in row.channel_id else None
        if owner == scid and _is_txid(row.funding_txid):
            owner = channel_id_of(str(row.funding_txid), scid)
        if owner == scid:
            theirs.report.refuse(row, "no funding_txid tells its channel id; its costs are taken")
        elif connection.execute("SELECT 1 FROM channels WHERE channel_id = ?", (owner,)).fetchone():
            theirs.report.refuse(row, _OWN)
        else:
            _archive(connection, row, owner, scid)
            if scid is not None:
                know_channels(connection, [(scid, ChannelId(owner))], now)
            theirs.report.take(row)


def _archive(connection: sqlite3.Connection, row: Closed, owner: str, scid: Scid | None) -> None:
    values = {
        "channel_id": owner,
        "scid": scid,
        "peer_id": row.peer_id,
        # The predecessor found no cost of what the peer opened.
        "opener": "local" if row.open_cost_sats else "remote",
        "capacity_msat": from_sats(row.capacity_sats),
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "how": HOW.get(str(row.close_type), "unknown"),
    }
    for statement in _ADD_CLOSED:
        connection.execute(statement, values)


def _owner(connection: sqlite3.Connection, channel: str) -> str:
    """
    Return the channel id for what the predecessor called *channel*; that itself, if nobody knows.
    """
    row = connection.execute(
        "SELECT channel_id FROM channel_scids WHERE scid = ?", (channel,)
    ).fetchone()
    return row[0] if row else channel


def _is_txid(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _take_refills(connection: sqlite3.Connection, theirs: Predecessor) -> None:
    connection.executemany(
        "INSERT INTO refills (payment_hash, part, at, to_channel, amount_msat, fee_msat)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        _refills(connection, theirs),
    )


def _refills(connection: sqlite3.Connection, theirs: Predecessor) -> Iterator[tuple[object, ...]]:
    for row in theirs.rows(RefillCost):
        theirs.report.take(row)
        yield (
            f"{MARK}:{row.id}",
            MARK,
            row.timestamp,
            _owner(connection, row.channel_id),
            from_sats(row.amount_sats),
            from_sats(row.cost_sats),
        )


# Forwards --------------------------------------------------------------------------------------


def _take_forwards(connection: sqlite3.Connection, theirs: Predecessor) -> None:
    connection.executemany(_ADD_DAY, _day_sums(theirs))
    (last,) = connection.execute("SELECT ifnull(max(day), 0) FROM imported_days").fetchone()
    connection.executemany(_ADD_DAY, _single_forwards(theirs, last))


def _day_sums(theirs: Predecessor) -> Iterator[tuple[str | int, ...]]:
    for row in theirs.rows(DaySum):
        into, out, fee = row.total_in_msat, row.total_out_msat, row.total_fee_msat
        if row.date % DAY:
            theirs.report.refuse(row, f"date {row.date} is no midnight")
        elif into - out != fee:
            theirs.report.refuse(row, f"fee {fee} msat is not {into} msat in less {out} msat out")
        else:
            theirs.report.take(row)
            yield row.channel_id, row.date // DAY, 0, row.forward_count, 0, out, fee, 0


def _single_forwards(theirs: Predecessor, last: int) -> Iterator[tuple[str | int, ...]]:
    """
    Return both sides of each forward that is not in the sums of days, which go up to the day
    *last*: at every start the predecessor may have entered old ones anew.
    """
    for row in theirs.rows(Forward):
        day, into, out, fee = row.timestamp // DAY, row.in_msat, row.out_msat, row.fee_msat
        if into - out != fee:
            theirs.report.refuse(row, f"fee {fee} msat is not {into} msat in less {out} msat out")
        elif day < last:
            theirs.report.refuse(row, "its day is over and summed up in daily_forwarding_stats")
        else:
            theirs.report.take(row)
            yield row.in_channel, day, 1, 0, into, 0, 0, fee
            yield row.out_channel, day, 0, 1, 0, out, fee, 0
