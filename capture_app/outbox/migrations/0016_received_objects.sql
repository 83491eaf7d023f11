-- Objects that scanners sent by themselves. Kept as they came until somebody's; the row stays, so that one that is sent again is
-- known. What it is and whose it says it is stands in the sealed cell. settled_at: filed, or taken out of sight.
CREATE TABLE received (
    sop_instance_uid TEXT PRIMARY KEY,
    sender TEXT NOT NULL,
    file TEXT UNIQUE,
    size INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    received_at TEXT NOT NULL,
    settled_at TEXT NOT NULL DEFAULT '',
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX received_by_time ON received (received_at);
CREATE INDEX received_waiting ON received (received_at) WHERE settled_at = '';

CREATE TRIGGER received_kept AFTER INSERT ON received
BEGIN
    DELETE FROM change WHERE capture_id = new.sop_instance_uid;
    INSERT INTO change (capture_id) VALUES (new.sop_instance_uid);
END;

CREATE TRIGGER received_changed AFTER UPDATE ON received
BEGIN
    DELETE FROM change WHERE capture_id = new.sop_instance_uid;
    INSERT INTO change (capture_id) VALUES (new.sop_instance_uid);
END;
