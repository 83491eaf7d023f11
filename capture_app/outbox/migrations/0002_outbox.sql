-- What was promised and where it stands. An index: all of it can be rebuilt from the sealed files. Nothing of a patient
-- stands in clear: sealed columns are encrypted cells, keys are keyed hashes. Times are UTC, so that they sort.

-- An exam as it was frozen when the patient was chosen.
CREATE TABLE exam (
    exam_id TEXT PRIMARY KEY,
    patient_key TEXT NOT NULL,
    visit_key TEXT NOT NULL,
    study_instance_uid TEXT NOT NULL,
    user_id TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX exam_of_patient ON exam (patient_key);
CREATE INDEX exam_of_visit ON exam (visit_key, opened_at);

-- Study and series: minted once, numbered upwards, never reused.
CREATE TABLE study (
    study_instance_uid TEXT PRIMARY KEY,
    study_key TEXT NOT NULL UNIQUE,
    study_number INTEGER NOT NULL,
    last_series_number INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE series (
    series_instance_uid TEXT PRIMARY KEY,
    series_key TEXT NOT NULL UNIQUE,
    study_instance_uid TEXT NOT NULL REFERENCES study,
    series_number INTEGER NOT NULL,
    last_instance_number INTEGER NOT NULL DEFAULT 0,
    UNIQUE (study_instance_uid, series_number)
) STRICT, WITHOUT ROWID;

-- A picture, from the shutter on. capture_id is the SOP Instance UID that was minted there.
CREATE TABLE capture (
    capture_id TEXT PRIMARY KEY,
    exam_id TEXT NOT NULL REFERENCES exam,
    user_id TEXT NOT NULL,
    file TEXT UNIQUE,
    taken_at TEXT NOT NULL,
    kept_at TEXT NOT NULL,
    description BLOB NOT NULL,
    deleted_at TEXT NOT NULL DEFAULT '',
    fault TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX capture_of_exam ON capture (exam_id);
CREATE INDEX capture_by_time ON capture (kept_at);
CREATE INDEX capture_with_file ON capture (kept_at) WHERE file IS NOT NULL;
CREATE INDEX capture_with_fault ON capture (fault) WHERE fault <> '';

-- A sealed SOP instance. One capture has one that counts; withdrawn ones keep their numbers taken.
CREATE TABLE instance (
    sop_instance_uid TEXT PRIMARY KEY,
    capture_id TEXT NOT NULL REFERENCES capture,
    series_instance_uid TEXT NOT NULL REFERENCES series,
    send_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    file TEXT UNIQUE,
    instance_number INTEGER NOT NULL,
    keep_days INTEGER NOT NULL,
    sealed_at TEXT NOT NULL,
    sealed BLOB NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0 CHECK (withdrawn IN (0, 1)),
    UNIQUE (series_instance_uid, instance_number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX instance_that_counts ON instance (capture_id) WHERE withdrawn = 0;
CREATE INDEX instance_of_send ON instance (send_id);
CREATE INDEX instance_by_time ON instance (sealed_at);

-- One step of the delivery of one instance to one destination. due_at is for display: the engine times on its own clock.
CREATE TABLE task (
    task_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('store', 'prove', 'retain')),
    sop_instance_uid TEXT NOT NULL REFERENCES instance,
    destination TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'queued', 'running', 'done', 'needs-you', 'withdrawn')),
    held_by_person INTEGER NOT NULL DEFAULT 0 CHECK (held_by_person IN (0, 1)),
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    resends INTEGER NOT NULL DEFAULT 0,
    nudges INTEGER NOT NULL DEFAULT 0,
    due_at TEXT NOT NULL DEFAULT '',
    error_code TEXT NOT NULL DEFAULT '',
    last_error TEXT NOT NULL DEFAULT '',
    proof TEXT NOT NULL DEFAULT '' CHECK (proof IN ('', 'pixel-hash', 'storage-commitment', 'listed')),
    receipt TEXT NOT NULL DEFAULT '',
    changed_at TEXT NOT NULL,
    UNIQUE (kind, sop_instance_uid, destination)
) STRICT;
CREATE INDEX task_by_state ON task (state, kind);
CREATE INDEX task_of_instance ON task (sop_instance_uid);
CREATE INDEX task_by_time ON task (changed_at);

-- Which pictures changed since revision n: how one process learns what another one did. Delete and insert, not OR REPLACE:
-- a trigger takes over the conflict clause of the statement that fired it, and an upsert would then fail here.
CREATE TABLE change (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    capture_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER capture_kept AFTER INSERT ON capture
BEGIN
    DELETE FROM change WHERE capture_id = new.capture_id;
    INSERT INTO change (capture_id) VALUES (new.capture_id);
END;

CREATE TRIGGER capture_changed AFTER UPDATE ON capture
BEGIN
    DELETE FROM change WHERE capture_id = new.capture_id;
    INSERT INTO change (capture_id) VALUES (new.capture_id);
END;

CREATE TRIGGER instance_sealed AFTER INSERT ON instance
BEGIN
    DELETE FROM change WHERE capture_id = new.capture_id;
    INSERT INTO change (capture_id) VALUES (new.capture_id);
END;

CREATE TRIGGER instance_changed AFTER UPDATE ON instance
BEGIN
    DELETE FROM change WHERE capture_id = new.capture_id;
    INSERT INTO change (capture_id) VALUES (new.capture_id);
END;

CREATE TRIGGER task_made AFTER INSERT ON task
BEGIN
    DELETE FROM change
    WHERE capture_id = (SELECT capture_id FROM instance WHERE sop_instance_uid = new.sop_instance_uid);
    INSERT INTO change (capture_id)
    SELECT capture_id FROM instance WHERE sop_instance_uid = new.sop_instance_uid;
END;

CREATE TRIGGER task_changed AFTER UPDATE ON task
BEGIN
    DELETE FROM change
    WHERE capture_id = (SELECT capture_id FROM instance WHERE sop_instance_uid = new.sop_instance_uid);
    INSERT INTO change (capture_id)
    SELECT capture_id FROM instance WHERE sop_instance_uid = new.sop_instance_uid;
END;

-- Where each picture stands: derived from its tasks, never stored. Of several tasks the one that most wants attention
-- speaks: a person first, then what is farthest from proof.
CREATE VIEW image AS
SELECT
    capture.capture_id,
    coalesce(instance.sop_instance_uid, capture.capture_id) AS sop_instance_uid,
    capture.exam_id,
    exam.patient_key,
    CASE
        WHEN capture.fault <> '' THEN 'needs-you'
        WHEN instance.sop_instance_uid IS NULL THEN 'draft'
        WHEN task.state = 'needs-you' THEN 'needs-you'
        WHEN task.state = 'held' THEN 'held'
        WHEN task.kind = 'store' AND task.state = 'running' THEN 'sending'
        WHEN task.kind = 'store' THEN 'queued'
        WHEN task.kind = 'prove' AND task.proof = '' THEN 'sent'
        WHEN task.kind = 'prove' THEN 'listed'
        WHEN task.kind = 'retain' AND task.state = 'done' THEN 'purged'
        WHEN task.kind = 'retain' THEN 'confirmed'
        ELSE 'needs-you'
    END AS state,
    capture.kept_at,
    instance.sealed_at,
    coalesce(task.changed_at, instance.sealed_at, capture.kept_at) AS changed_at,
    coalesce(
        nullif(task.destination, ''),
        (SELECT group_concat(proved.destination, ', ') FROM task AS proved
         WHERE proved.sop_instance_uid = instance.sop_instance_uid AND proved.kind = 'prove'),
        ''
    ) AS destination,
    coalesce(task.failures, 0) AS failures,
    coalesce(task.due_at, '') AS due_at,
    CASE WHEN capture.fault <> '' THEN capture.fault ELSE coalesce(task.last_error, '') END AS last_error,
    coalesce(
        nullif(task.proof, ''),
        (SELECT proved.proof FROM task AS proved
         WHERE proved.sop_instance_uid = instance.sop_instance_uid AND proved.kind = 'prove' AND +proved.state = 'done'
         ORDER BY proved.task_id LIMIT 1),
        ''
    ) AS proof,
    (SELECT max(proved.changed_at) FROM task AS proved
     WHERE proved.sop_instance_uid = instance.sop_instance_uid AND proved.kind = 'prove' AND +proved.state = 'done')
        AS proved_at
FROM capture
JOIN exam ON exam.exam_id = capture.exam_id
LEFT JOIN instance ON instance.capture_id = capture.capture_id AND instance.withdrawn = 0
LEFT JOIN task ON task.task_id = (
    SELECT speaking.task_id FROM task AS speaking
    WHERE
        speaking.sop_instance_uid = instance.sop_instance_uid
        AND (
            speaking.state IN ('needs-you', 'held', 'queued', 'running')
            OR (speaking.kind = 'retain' AND speaking.state = 'done')
        )
    ORDER BY
        CASE
            WHEN speaking.state = 'needs-you' THEN 0
            WHEN speaking.state = 'held' THEN 1
            WHEN speaking.kind = 'store' AND speaking.state = 'running' THEN 2
            WHEN speaking.kind = 'store' THEN 3
            WHEN speaking.kind = 'prove' AND speaking.proof = '' THEN 4
            WHEN speaking.kind = 'prove' THEN 5
            ELSE 6
        END,
        speaking.task_id
    LIMIT 1
)
WHERE capture.deleted_at = '';
