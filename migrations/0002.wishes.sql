-- Options that were set while revops ran. "given" is what lightningd had for the option then: as
-- long as it hands out the same at start, this row is the newer wish.
CREATE TABLE config (
    option TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    given TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('setconfig', 'revenue-config')),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Prices that the operator ordered by a command, and until when they are left alone. The last one of
-- a channel counts; an earlier one is kept as long as nobody knows what became of the last.
CREATE TABLE fee_pins (
    id INTEGER PRIMARY KEY,
    journal_id INTEGER REFERENCES journal,
    channel_id TEXT NOT NULL,
    fee_ppm INTEGER NOT NULL,
    base_fee_msat INTEGER NOT NULL,
    set_at INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until >= set_at)
) STRICT;

CREATE INDEX fee_pins_by_channel ON fee_pins (channel_id);
CREATE INDEX fee_pins_by_order ON fee_pins (journal_id);

-- How much of each day (since the epoch) a peer was watched, and how much of that connected.
CREATE TABLE peer_uptime (
    peer_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    watched_s INTEGER NOT NULL,
    connected_s INTEGER NOT NULL CHECK (connected_s BETWEEN 0 AND watched_s),
    PRIMARY KEY (peer_id, day)
) STRICT, WITHOUT ROWID;

-- htlc_maximum_msat is put back with the fee; unknown for channels first met before this was kept.
ALTER TABLE original_fees ADD COLUMN htlc_max_msat INTEGER;

-- The rate limit and neighbours look at the latest changes; there may be many before.
CREATE INDEX policy_changes_by_time ON policy_changes (at);
