-- A message about several patients (A17, A44, A45) has a row for each: which of its parts the row is about.
ALTER TABLE events ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
