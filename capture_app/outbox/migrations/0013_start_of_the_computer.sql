-- Since which start of the computer its own clock counts: within one, a wall clock that was set while nobody looked shows.
ALTER TABLE counted_time ADD COLUMN start TEXT NOT NULL DEFAULT '';
