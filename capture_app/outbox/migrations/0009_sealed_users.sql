-- Who may sign in: each row sealed under the key and bound to its user id. The head says which rows
-- there are and at which revision, so that a row that is missing, put in or put back shows.
ALTER TABLE users RENAME TO users_in_clear;

CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    sealed BLOB NOT NULL
) STRICT;
