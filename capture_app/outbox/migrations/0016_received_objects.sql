-- Objects that scanners sent by themselves, each a letter of its own: of one SOP Instance UID there may be several, where a scanner
-- corrects what it sent before. A row stays, so that what is sent again is known. What an object is and whose it says it is stands in
-- the sealed cell. filed_at: it became an image of a patient. discarded_at: a person took it out of sight; its file goes a day later.
CREATE TABLE received (
    letter TEXT PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    file TEXT UNIQUE,
    size INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    filed_at TEXT NOT NULL DEFAULT '',
    discarded_at TEXT NOT NULL DEFAULT '',
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX received_by_time ON received (received_at);
CREATE INDEX received_by_uid ON received (sop_instance_uid);
CREATE INDEX received_waiting ON received (received_at) WHERE filed_at = '' AND discarded_at = '';
CREATE INDEX received_discarded ON received (discarded_at) WHERE discarded_at <> '' AND file IS NOT NULL;

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
