-- Slates: what the code on one stands for, sealed: whose pictures follow. Emptied rows are removed.
CREATE TABLE slate (
    token TEXT PRIMARY KEY,
    made_at TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
-- Which file became which picture: the SHA-256 of the bytes of a file that was kept.
CREATE TABLE card_file (
    digest TEXT PRIMARY KEY,
    capture_id TEXT NOT NULL
) STRICT;
