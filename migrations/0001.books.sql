-- Times are seconds since the epoch in UTC, money is whole millisatoshi, ids are lower-case hex.
-- No statement here may return rows: yoyo prints them on stdout, which is lightningd's.

-- What time the counted forwards cover completely, and how many rows could not be and were left out.
CREATE TABLE books (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER,
    until INTEGER,
    quarantined INTEGER NOT NULL
) STRICT;

-- Where to go on reading lightningd's lists; written together with what was read.
CREATE TABLE cursors (
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT, WITHOUT ROWID;

-- Forwards are listed by short channel id, which a splice changes; learning is by channel id.
CREATE TABLE channel_scids (
    scid TEXT NOT NULL PRIMARY KEY,
    channel_id TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What went through a channel by hour, for learning, and by day, for windows and reports.
CREATE TABLE forward_stats (
    scid TEXT NOT NULL,
    span TEXT NOT NULL CHECK (span IN ('hour', 'day')),
    start INTEGER NOT NULL,
    in_count INTEGER NOT NULL,
    out_count INTEGER NOT NULL,
    in_msat INTEGER NOT NULL,
    out_msat INTEGER NOT NULL,
    earned_msat INTEGER NOT NULL,
    sourced_msat INTEGER NOT NULL,
    failed_count INTEGER NOT NULL,
    refused_count INTEGER NOT NULL,
    size_sum INTEGER NOT NULL,
    size_squares INTEGER NOT NULL,
    PRIMARY KEY (scid, span, start)
) STRICT, WITHOUT ROWID;

-- What a channel's forwards come to since the beginning, so that no cycle has to look through them.
CREATE TABLE forward_totals (
    scid TEXT NOT NULL PRIMARY KEY,
    out_count INTEGER NOT NULL,
    last_hour INTEGER NOT NULL,
    last_in_at INTEGER,
    last_out_at INTEGER
) STRICT, WITHOUT ROWID;

-- Our own samples of on-chain fees: what the Vegas reflex calls a spike is measured against them.
CREATE TABLE feerates (
    at INTEGER PRIMARY KEY,
    perkw INTEGER NOT NULL CHECK (perkw > 0)
) STRICT;

-- The operator's wishes for a peer.
CREATE TABLE policies (
    peer_id TEXT NOT NULL PRIMARY KEY,
    strategy TEXT NOT NULL,
    rebalance TEXT NOT NULL,
    fee_ppm INTEGER,
    fee_multiplier_min REAL,
    fee_multiplier_max REAL,
    min_fee_ppm INTEGER,
    max_fee_ppm INTEGER,
    expires_at INTEGER,
    updated_at INTEGER
) STRICT, WITHOUT ROWID;

-- Words of the operator's own that policies are found by.
CREATE TABLE policy_tags (
    peer_id TEXT NOT NULL REFERENCES policies ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (peer_id, tag)
) STRICT, WITHOUT ROWID;

-- Which policies changed when: the rate limit holds across restarts, and neighbours ask for it.
CREATE TABLE policy_changes (
    id INTEGER PRIMARY KEY,
    peer_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1))
) STRICT;

-- What one cycle leaves to the next: a row for each channel id, and one for the "node".
CREATE TABLE memory (
    owner TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL
) STRICT;

-- When the last cycle of an area was, and what concerned all channels in it.
CREATE TABLE cycles (
    area TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    trail TEXT NOT NULL
) STRICT;

-- The last decision about each channel, holding still included, for whoever asks why.
CREATE TABLE decisions (
    channel_id TEXT NOT NULL,
    area TEXT NOT NULL,
    at INTEGER NOT NULL,
    scid TEXT,
    peer_id TEXT NOT NULL,
    action TEXT NOT NULL,
    trail TEXT NOT NULL,
    PRIMARY KEY (channel_id, area)
) STRICT;

-- What was intended, before it is done, and what became of it: "decided" may have happened.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    channel_id TEXT NOT NULL,
    area TEXT NOT NULL,
    action TEXT NOT NULL,
    trail TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('decided', 'applied', 'refused', 'unknown', 'rehearsed')),
    outcome TEXT,
    settled_at INTEGER,
    CHECK ((state = 'decided') = (outcome IS NULL) AND (outcome IS NULL) = (settled_at IS NULL))
) STRICT;

CREATE INDEX journal_by_channel ON journal (channel_id, area, at);
CREATE INDEX journal_open ON journal (at) WHERE state IN ('decided', 'unknown');

-- The audit of fee changes that the node confirmed; the journal entry has the trail.
CREATE TABLE fee_history (
    journal_id INTEGER PRIMARY KEY REFERENCES journal,
    at INTEGER NOT NULL,
    channel_id TEXT NOT NULL,
    scid TEXT NOT NULL,
    peer_id TEXT NOT NULL,
    old_ppm INTEGER NOT NULL,
    new_ppm INTEGER NOT NULL,
    old_base_msat INTEGER NOT NULL,
    new_base_msat INTEGER NOT NULL,
    htlc_max_msat INTEGER
) STRICT;

-- The fee of each channel before revops first touched it, so that it can be put back.
CREATE TABLE original_fees (
    channel_id TEXT NOT NULL PRIMARY KEY,
    fee_ppm INTEGER NOT NULL,
    base_fee_msat INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
