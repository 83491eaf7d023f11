-- The codes of what the feed said against sending, that a person knew of: such a reason stops a picture once.
ALTER TABLE task ADD COLUMN answered TEXT NOT NULL DEFAULT '';
