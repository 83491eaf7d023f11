-- How much time has certainly passed, whatever the wall clock was set to; under a MAC of its own.
CREATE TABLE counted_time (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seconds REAL NOT NULL,
    monotonic REAL NOT NULL,
    wall TEXT NOT NULL,
    reference TEXT NOT NULL,
    reference_seconds REAL NOT NULL,
    is_confirmed INTEGER NOT NULL,
    mac TEXT NOT NULL
) STRICT;

-- From when on the days of a picture are counted, in those seconds: of an instance until it is purged, of a deleted draft until it is
-- removed. A row that is missing is made when it is missed, and waits its whole time from then on.
CREATE TABLE waiting_since (
    kind TEXT NOT NULL CHECK (kind IN ('purge', 'clean')),
    uid TEXT NOT NULL,
    counted REAL NOT NULL,
    PRIMARY KEY (kind, uid)
) STRICT, WITHOUT ROWID;
