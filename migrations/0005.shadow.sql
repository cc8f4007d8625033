-- Configs that decide, or did, beside the live one and are not obeyed: what shadow-config said, and
-- from when to when. No more than one is under way.
CREATE TABLE shadow_runs (
    id INTEGER PRIMARY KEY,
    config TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX shadow_runs_open ON shadow_runs (ended_at IS NULL) WHERE ended_at IS NULL;

-- What the run under way leaves to its next cycle, as "memory" does for the live config.
CREATE TABLE shadow_memory (
    owner TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL
) STRICT;

-- Where the last cycle of the run under way decided otherwise than the live config, with the price
-- that each came to.
CREATE TABLE shadow_decisions (
    channel_id TEXT NOT NULL,
    area TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES shadow_runs,
    at INTEGER NOT NULL,
    scid TEXT,
    peer_id TEXT NOT NULL,
    action TEXT NOT NULL,
    trail TEXT NOT NULL,
    live_ppm INTEGER,
    live_base_msat INTEGER,
    shadow_ppm INTEGER,
    shadow_base_msat INTEGER,
    PRIMARY KEY (channel_id, area)
) STRICT;

-- All that would have been done.
CREATE TABLE shadow_journal (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES shadow_runs,
    at INTEGER NOT NULL,
    channel_id TEXT NOT NULL,
    area TEXT NOT NULL,
    action TEXT NOT NULL,
    trail TEXT NOT NULL
) STRICT;
CREATE INDEX shadow_journal_by_run ON shadow_journal (run, area, channel_id, at);
CREATE INDEX shadow_journal_by_time ON shadow_journal (at);

-- Each cycle in numbers: how many channels it decided about and in how many it differed, and by how
-- much its prices were above the live ones, less below, and apart from them, added up over channels.
CREATE TABLE shadow_cycles (
    run INTEGER NOT NULL REFERENCES shadow_runs,
    area TEXT NOT NULL,
    at INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    differing INTEGER NOT NULL,
    over_ppm INTEGER NOT NULL,
    apart_ppm INTEGER NOT NULL,
    PRIMARY KEY (run, area, at)
) STRICT;
CREATE INDEX shadow_cycles_by_time ON shadow_cycles (at);
