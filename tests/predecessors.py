"""Databases of an earlier cl-revenue-ops, as its versions made them."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

DAY = 86_400
TODAY = 20_700 * DAY
"""The midnight (UTC) before the databases were last written."""
PEER = "02" + "ab" * 32
SCID, OTHER = "150x1x0", "150x6x1"

_FIRST = """
    CREATE TABLE channel_states (channel_id TEXT PRIMARY KEY, peer_id TEXT NOT NULL, state TEXT);
    CREATE TABLE fee_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT NOT NULL);
    CREATE TABLE rebalance_history (id INTEGER PRIMARY KEY AUTOINCREMENT, from_channel TEXT);
    CREATE TABLE clboss_unmanaged (peer_id TEXT, tag TEXT, unmanaged_at INTEGER);
    CREATE TABLE forwards (id INTEGER PRIMARY KEY AUTOINCREMENT, in_channel TEXT NOT NULL,
        out_channel TEXT NOT NULL, in_msat INTEGER NOT NULL, out_msat INTEGER NOT NULL,
        fee_msat INTEGER NOT NULL, timestamp INTEGER NOT NULL);
"""
_SECOND = """
    CREATE TABLE channel_costs (channel_id TEXT PRIMARY KEY, peer_id TEXT NOT NULL,
        open_cost_sats INTEGER NOT NULL DEFAULT 0, capacity_sats INTEGER NOT NULL,
        opened_at INTEGER NOT NULL);
    CREATE TABLE rebalance_costs (id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT NOT NULL,
        peer_id TEXT NOT NULL, cost_sats INTEGER NOT NULL, amount_sats INTEGER NOT NULL,
        timestamp INTEGER NOT NULL);
    CREATE TABLE daily_forwarding_stats (channel_id TEXT NOT NULL, date INTEGER NOT NULL,
        total_in_msat INTEGER NOT NULL DEFAULT 0, total_out_msat INTEGER NOT NULL DEFAULT 0,
        total_fee_msat INTEGER NOT NULL DEFAULT 0, forward_count INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (channel_id, date));
    CREATE TABLE ignored_peers (peer_id TEXT PRIMARY KEY, reason TEXT, ignored_at INTEGER NOT NULL);
    CREATE TABLE config_overrides (key TEXT PRIMARY KEY, value TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1, updated_at INTEGER NOT NULL);
    ALTER TABLE forwards ADD COLUMN resolution_time REAL DEFAULT 0;
"""
_LATEST = """
    CREATE TABLE peer_policies (peer_id TEXT PRIMARY KEY, strategy TEXT NOT NULL DEFAULT 'dynamic',
        rebalance_mode TEXT NOT NULL DEFAULT 'enabled', fee_ppm_target INTEGER, tags TEXT,
        updated_at INTEGER NOT NULL);
    ALTER TABLE peer_policies ADD COLUMN fee_multiplier_min REAL;
    ALTER TABLE peer_policies ADD COLUMN fee_multiplier_max REAL;
    ALTER TABLE peer_policies ADD COLUMN expires_at INTEGER;
    CREATE TABLE channel_closure_costs (channel_id TEXT PRIMARY KEY, peer_id TEXT NOT NULL,
        close_type TEXT NOT NULL, closure_fee_sats INTEGER NOT NULL DEFAULT 0,
        htlc_sweep_fee_sats INTEGER NOT NULL DEFAULT 0, penalty_fee_sats INTEGER NOT NULL DEFAULT 0,
        total_closure_cost_sats INTEGER NOT NULL DEFAULT 0, funding_txid TEXT, closing_txid TEXT,
        closed_at INTEGER NOT NULL, resolution_complete INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE closed_channels (channel_id TEXT PRIMARY KEY, peer_id TEXT NOT NULL,
        capacity_sats INTEGER NOT NULL, opened_at INTEGER, closed_at INTEGER NOT NULL,
        close_type TEXT NOT NULL, open_cost_sats INTEGER NOT NULL DEFAULT 0,
        closure_cost_sats INTEGER NOT NULL DEFAULT 0, total_revenue_sats INTEGER NOT NULL DEFAULT 0,
        total_rebalance_cost_sats INTEGER NOT NULL DEFAULT 0,
        forward_count INTEGER NOT NULL DEFAULT 0, net_pnl_sats INTEGER NOT NULL DEFAULT 0,
        days_open INTEGER NOT NULL DEFAULT 0, funding_txid TEXT, closing_txid TEXT,
        closer TEXT DEFAULT 'unknown');
    CREATE TABLE splice_costs (id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT NOT NULL,
        peer_id TEXT NOT NULL, splice_type TEXT NOT NULL, amount_sats INTEGER NOT NULL,
        fee_sats INTEGER NOT NULL, old_capacity_sats INTEGER, new_capacity_sats INTEGER, txid TEXT,
        timestamp INTEGER NOT NULL);
    ALTER TABLE forwards ADD COLUMN resolved_time INTEGER DEFAULT 0;
"""
VERSIONS = {"first": (_FIRST,), "second": (_FIRST, _SECOND), "latest": (_FIRST, _SECOND, _LATEST)}
_USUAL: dict[str, dict[str, Any]] = {
    "peer_policies": {"peer_id": PEER, "strategy": "dynamic", "updated_at": TODAY},
    "ignored_peers": {"peer_id": PEER, "ignored_at": TODAY},
    "forwards": {
        "in_channel": SCID,
        "out_channel": OTHER,
        "in_msat": 1_001_000,
        "out_msat": 1_000_000,
        "fee_msat": 1000,
        "timestamp": TODAY,
    },
    "daily_forwarding_stats": {
        "channel_id": OTHER,
        "date": TODAY - 20 * DAY,
        "total_in_msat": 7_007_000,
        "total_out_msat": 7_000_000,
        "total_fee_msat": 7000,
        "forward_count": 7,
    },
    "channel_costs": {
        "channel_id": SCID,
        "peer_id": PEER,
        "open_cost_sats": 431,
        "capacity_sats": 1_000_000,
        "opened_at": TODAY - 90 * DAY,
    },
    "channel_closure_costs": {
        "channel_id": SCID,
        "peer_id": PEER,
        "close_type": "mutual",
        "total_closure_cost_sats": 212,
        "closed_at": TODAY - DAY,
    },
    "splice_costs": {
        "channel_id": SCID,
        "peer_id": PEER,
        "splice_type": "splice_in",
        "amount_sats": 500_000,
        "fee_sats": 333,
        "timestamp": TODAY - 2 * DAY,
    },
    "rebalance_costs": {
        "channel_id": SCID,
        "peer_id": PEER,
        "cost_sats": 17,
        "amount_sats": 50_000,
        "timestamp": TODAY - 3 * DAY,
    },
    "closed_channels": {
        "channel_id": "140x3x1",
        "peer_id": PEER,
        "capacity_sats": 2_000_000,
        "opened_at": TODAY - 80 * DAY,
        "closed_at": TODAY - 30 * DAY,
        "close_type": "local_unilateral",
        "open_cost_sats": 300,
        "closure_cost_sats": 900,
        "total_revenue_sats": 44,
        "funding_txid": "0011" * 16,
    },
    "config_overrides": {"key": "min_fee_ppm", "value": "25", "updated_at": TODAY},
}


class Rows(dict[str, list[Mapping[str, Any]]]):
    """
    Rows by table.
    """

    def add(self, table: str, **values: Any) -> "Rows":
        """
        Add a row that is as usual but for *values*.
        """
        self.setdefault(table, []).append(_USUAL[table] | values)
        return self


def one_of_each() -> Rows:
    """
    Return a usual row for each table.
    """
    rows = Rows()
    for table in _USUAL:
        if table != "ignored_peers":
            rows.add(table)
    return rows


def make(path: Path, rows: Mapping[str, list[Mapping[str, Any]]], version: str = "latest") -> None:
    """
    Write a database with *rows*, in WAL mode and with nothing pending, as it is left at its stop.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for script in VERSIONS[version]:
            connection.executescript(script)
        insert(connection, rows)


def insert(connection: sqlite3.Connection, rows: Mapping[str, list[Mapping[str, Any]]]) -> None:
    """
    Add *rows*; lists and objects are written as JSON.
    """
    connection.execute("BEGIN")
    for table, values in rows.items():
        for row in values:
            cells = [json.dumps(v) if isinstance(v, list) else v for v in row.values()]
            connection.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 -- the test's own names
                cells,
            )
    connection.execute("COMMIT")
