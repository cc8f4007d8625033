-- Peers of which CLBOSS was told to leave something alone: which tags were there without us, which
-- are ours, and what the operator ordered about them. Written before CLBOSS is told.
CREATE TABLE ignored_peers (
    peer_id TEXT NOT NULL PRIMARY KEY,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    ignored TEXT NOT NULL,
    remanaged TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
