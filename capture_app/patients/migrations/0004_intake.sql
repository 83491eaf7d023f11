-- How many bytes each sender of the feed put on the disk on a day, and all of them together (sender ''): a stranger must not fill it.
CREATE TABLE intake (
    day TEXT NOT NULL,
    sender TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    was_refused INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, sender)
) STRICT, WITHOUT ROWID;

-- From which address a refused message came; '' for those of an earlier version.
ALTER TABLE dead_letters ADD COLUMN sender TEXT NOT NULL DEFAULT '';
