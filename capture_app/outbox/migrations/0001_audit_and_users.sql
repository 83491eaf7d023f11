-- The trail: one row an act, chained by keyed hashes. The triggers catch slips, the chain catches intent.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the trail is never changed');
END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the trail is never changed');
END;

-- The head of the trail, written in the transaction of its last row: shows a tail that was cut off.
CREATE TABLE audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    rows_count INTEGER NOT NULL,
    last_hash TEXT NOT NULL,
    mac TEXT NOT NULL
) STRICT;

-- Who may sign in on this computer. Staff, not patients.
CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('capture', 'admin')),
    name TEXT NOT NULL,
    pin_salt BLOB NOT NULL,
    pin_cost TEXT NOT NULL,
    pin_hash BLOB NOT NULL,
    added_at TEXT NOT NULL,
    added_by TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    failed_at TEXT NOT NULL DEFAULT '',
    locked_until TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
