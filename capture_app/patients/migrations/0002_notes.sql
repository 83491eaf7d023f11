-- Which messages could not be taken as they stood or had no effect: by field and code, no values.
CREATE TABLE notes (
    event_id INTEGER NOT NULL,
    field TEXT NOT NULL, -- as its standard names it: PID-7, PV1-19
    code TEXT NOT NULL,
    PRIMARY KEY (event_id, field, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX notes_by_code ON notes (code, event_id);

-- A state says by which settings and rules it was folded: several processes may write.
ALTER TABLE events ADD COLUMN reading TEXT;

-- A keyed hash: with another key nothing is opened, and nothing taken for damaged.
ALTER TABLE census ADD COLUMN key_check TEXT;

-- A merge that was refused marks the patients whom it names.
ALTER TABLE dead_letters ADD COLUMN is_merge INTEGER NOT NULL DEFAULT 0;

CREATE INDEX refused_merges ON dead_letters (dead_letter_id) WHERE is_merge = 1;
