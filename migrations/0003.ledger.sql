-- Whose books these are: those of another node do not belong in them.
CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node_id TEXT NOT NULL
) STRICT;

-- What went through a channel in all its life: years of days cannot be read while somebody waits.
ALTER TABLE forward_totals ADD COLUMN in_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE forward_totals ADD COLUMN in_msat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE forward_totals ADD COLUMN out_msat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE forward_totals ADD COLUMN earned_msat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE forward_totals ADD COLUMN sourced_msat INTEGER NOT NULL DEFAULT 0;
UPDATE forward_totals SET (in_count, in_msat, out_msat, earned_msat, sourced_msat) = (
    SELECT sum(in_count), sum(in_msat), sum(out_msat), sum(earned_msat), sum(sourced_msat)
    FROM forward_stats WHERE forward_stats.scid = forward_totals.scid AND span = 'day'
) WHERE scid IN (SELECT scid FROM forward_stats WHERE span = 'day');

-- Forwards that cannot be, such as more out than in: the newest are shown, none is ever summed.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;

-- What is old is looked for once a day.
CREATE INDEX journal_by_time ON journal (at);

-- Every channel we ever had, as it was last seen; NULL is unknown. Some time after the chain
-- changed something (changed_at) the node's bookkeeper is asked what it cost (asked_at).
CREATE TABLE channels (
    channel_id TEXT NOT NULL PRIMARY KEY,
    scid TEXT,
    peer_id TEXT NOT NULL,
    opener TEXT NOT NULL CHECK (opener IN ('local', 'remote')),
    capacity_msat INTEGER NOT NULL,
    opened_at INTEGER,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL DEFAULT 0,
    asked_at INTEGER
) STRICT, WITHOUT ROWID;

-- What channels cost on-chain: a row for each transaction that was paid for. An estimate is
-- replaced as soon as the node's own books tell.
CREATE TABLE costs (
    channel_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('open', 'close', 'splice')),
    ref TEXT NOT NULL,
    at INTEGER NOT NULL,
    msat INTEGER NOT NULL,
    estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),
    PRIMARY KEY (channel_id, kind, ref)
) STRICT, WITHOUT ROWID;

-- Circular payments that settled: out by one channel, in by another; NULL where nobody can tell.
-- The fee is a cost of the channel that was refilled.
CREATE TABLE refills (
    payment_hash TEXT NOT NULL,
    part TEXT NOT NULL,
    at INTEGER NOT NULL,
    from_channel TEXT,
    to_channel TEXT,
    amount_msat INTEGER NOT NULL,
    fee_msat INTEGER NOT NULL,
    PRIMARY KEY (payment_hash, part)
) STRICT, WITHOUT ROWID;
-- With all that is added up, so that no sum has to look into the table.
CREATE INDEX refills_by_channel ON refills (to_channel, at, amount_msat, fee_msat);

-- Moves of which the other side has not been seen yet: the two may be minutes apart.
CREATE TABLE open_moves (
    created_index INTEGER PRIMARY KEY,
    payment_hash TEXT NOT NULL,
    part TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    credit_msat INTEGER NOT NULL,
    debit_msat INTEGER NOT NULL,
    fee_msat INTEGER NOT NULL
) STRICT;
CREATE INDEX open_moves_by_hash ON open_moves (payment_hash);

-- The last page of a channel's account, kept for ever.
CREATE TABLE closed_channels (
    channel_id TEXT NOT NULL PRIMARY KEY,
    closed_at INTEGER NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('mutual', 'local_force', 'remote_force', 'unknown')),
    resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
    final_to_us_msat INTEGER
) STRICT, WITHOUT ROWID;

-- A splice keeps the channel and changes its short channel id and capacity.
CREATE TABLE splice_events (
    channel_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    old_scid TEXT NOT NULL,
    new_scid TEXT NOT NULL,
    old_capacity_msat INTEGER NOT NULL,
    new_capacity_msat INTEGER NOT NULL,
    PRIMARY KEY (channel_id, new_scid)
) STRICT, WITHOUT ROWID;

-- How a day ended. What was not looked at that day is NULL: sums are made later, balances cannot be.
CREATE TABLE daily_snapshots (
    day INTEGER PRIMARY KEY,
    at INTEGER,
    channel_msat INTEGER,
    onchain_msat INTEGER,
    capacity_msat INTEGER,
    channel_count INTEGER,
    earned_msat INTEGER NOT NULL,
    volume_msat INTEGER NOT NULL,
    forward_count INTEGER NOT NULL,
    refill_cost_msat INTEGER NOT NULL,
    chain_cost_msat INTEGER NOT NULL
) STRICT;

-- How often a channel was looked at on each day, and how often it had little left on our side, or
-- could carry payments away.
CREATE TABLE liquidity (
    channel_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    short INTEGER NOT NULL CHECK (short BETWEEN 0 AND looks),
    live INTEGER NOT NULL CHECK (live BETWEEN 0 AND looks),
    PRIMARY KEY (channel_id, day)
) STRICT, WITHOUT ROWID;

-- How often a peer's HTLCs succeed: decayed sums, digested up to an hour.
CREATE TABLE peer_reputation (
    peer_id TEXT NOT NULL PRIMARY KEY,
    successes REAL NOT NULL,
    failures REAL NOT NULL,
    hour INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a predecessor's database knew of forwards, by the day (since the epoch) on which they were
-- received. Days that the node's own list covers go; what is left when that is counted through is
-- added to forward_totals, and to no window: of most of it only one side is known.
CREATE TABLE imported_days (
    scid TEXT NOT NULL,
    day INTEGER NOT NULL,
    in_count INTEGER NOT NULL,
    out_count INTEGER NOT NULL,
    in_msat INTEGER NOT NULL,
    out_msat INTEGER NOT NULL,
    earned_msat INTEGER NOT NULL,
    sourced_msat INTEGER NOT NULL,
    PRIMARY KEY (scid, day)
) STRICT, WITHOUT ROWID;

-- What was taken over from a predecessor's database, once.
CREATE TABLE imports (
    path TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT, WITHOUT ROWID;
