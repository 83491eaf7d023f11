-- Whether the head of the trail was ever noted outside the data folder: then a note that is gone is a fault. Under the head's MAC.
ALTER TABLE audit_head ADD COLUMN anchored INTEGER NOT NULL DEFAULT 0;
