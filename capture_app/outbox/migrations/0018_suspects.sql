-- At which step its archive fell silent: after a restart, too, it goes alone and after all others.
ALTER TABLE task ADD COLUMN is_suspect INTEGER NOT NULL DEFAULT 0 CHECK (is_suspect IN (0, 1));
