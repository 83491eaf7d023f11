-- Who may sign in no more. The row stays: the trail names the user id, which nobody else gets.
ALTER TABLE users ADD COLUMN removed_at TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN removed_by TEXT NOT NULL DEFAULT '';
