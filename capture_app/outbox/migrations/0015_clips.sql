-- How much of a film there is (JSON: frames, last_at, is_partial); empty for a single picture. Its file says it as well.
ALTER TABLE capture ADD COLUMN clip TEXT NOT NULL DEFAULT '';
