-- Every rebalance that was begun or was about to be, and how it ended. "moves_read" is up to which
-- of the node's moves everything was in the books by then; "stopping" is why it is to be stopped,
-- from when that was decided, and "ending" then how it will have ended. "sold" is the share of what arrived that left again within the horizon.
CREATE TABLE rebalance_log (
    id INTEGER PRIMARY KEY,
    journal_id INTEGER REFERENCES journal,
    at INTEGER NOT NULL,
    to_channel TEXT NOT NULL,
    to_peer TEXT NOT NULL,
    scid TEXT NOT NULL,
    from_channels TEXT NOT NULL,
    amount_msat INTEGER NOT NULL,
    chunk_msat INTEGER NOT NULL,
    before_msat INTEGER NOT NULL,
    ordered INTEGER NOT NULL CHECK (ordered IN (0, 1)),
    moves_read INTEGER NOT NULL,
    stopping TEXT,
    stopping_at INTEGER,
    ending TEXT,
    why TEXT,
    sold REAL CHECK (sold BETWEEN 0 AND 1)
) STRICT;
CREATE INDEX rebalance_log_by_journal ON rebalance_log (journal_id);
CREATE INDEX rebalance_log_by_time ON rebalance_log (at);
CREATE INDEX rebalance_log_by_channel ON rebalance_log (to_channel);

-- The money of a rebalance: reserved in the transaction that writes the decision, and held until
-- the node's own records say what became of it.
CREATE TABLE reservations (
    rebalance_id INTEGER PRIMARY KEY REFERENCES rebalance_log,
    amount_msat INTEGER NOT NULL CHECK (amount_msat >= 0),
    state TEXT NOT NULL
        CHECK (state IN ('reserved', 'in_flight', 'unknown', 'settled', 'released')),
    spent_msat INTEGER CHECK (spent_msat >= 0),
    settled_at INTEGER,
    CHECK ((state = 'settled') = (spent_msat IS NOT NULL)),
    CHECK ((state IN ('settled', 'released')) = (settled_at IS NOT NULL))
) STRICT;
CREATE INDEX reservations_open ON reservations (rebalance_id)
    WHERE state NOT IN ('settled', 'released');
CREATE INDEX reservations_by_end ON reservations (settled_at, spent_msat);

-- Whoever writes it: what is over stays as it ended.
CREATE TRIGGER reservations_end BEFORE UPDATE OF state, amount_msat, spent_msat ON reservations
WHEN OLD.state IN ('settled', 'released')
BEGIN
    SELECT RAISE(ABORT, 'a reservation that is over was to be changed');
END;

-- Which rebalance of ours a circular payment belongs to: none for what others pay.
ALTER TABLE refills ADD COLUMN rebalance_id INTEGER REFERENCES rebalance_log;
CREATE INDEX refills_by_rebalance ON refills (rebalance_id, at, amount_msat, fee_msat)
    WHERE rebalance_id IS NOT NULL;
