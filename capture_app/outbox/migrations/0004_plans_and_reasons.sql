-- What is asked every few seconds, or under the write lock, must cost what is open and not what was ever taken.

-- Pictures that are kept, not deleted and not sealed: an index that triggers keep, for no partial index can ask another table.
CREATE TABLE draft (capture_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO draft (capture_id)
SELECT capture.capture_id FROM capture
WHERE
    capture.file IS NOT NULL AND capture.deleted_at = ''
    AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.capture_id = capture.capture_id AND instance.withdrawn = 0);

CREATE TRIGGER draft_kept AFTER INSERT ON capture WHEN new.file IS NOT NULL AND new.deleted_at = ''
BEGIN
    DELETE FROM draft WHERE capture_id = new.capture_id;
    INSERT INTO draft (capture_id) VALUES (new.capture_id);
END;

CREATE TRIGGER draft_gone AFTER DELETE ON capture
BEGIN
    DELETE FROM draft WHERE capture_id = old.capture_id;
END;

CREATE TRIGGER draft_changed AFTER UPDATE OF file, deleted_at ON capture
BEGIN
    DELETE FROM draft WHERE capture_id = new.capture_id;
    INSERT INTO draft (capture_id)
    SELECT new.capture_id
    WHERE
        new.file IS NOT NULL AND new.deleted_at = ''
        AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.capture_id = new.capture_id AND instance.withdrawn = 0);
END;

CREATE TRIGGER draft_sealed AFTER INSERT ON instance WHEN new.withdrawn = 0
BEGIN
    DELETE FROM draft WHERE capture_id = new.capture_id;
END;

CREATE TRIGGER draft_withdrawn AFTER UPDATE OF withdrawn ON instance
BEGIN
    DELETE FROM draft WHERE capture_id = new.capture_id;
    INSERT INTO draft (capture_id)
    SELECT capture.capture_id FROM capture
    WHERE
        capture.capture_id = new.capture_id AND capture.file IS NOT NULL AND capture.deleted_at = ''
        AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.capture_id = new.capture_id AND instance.withdrawn = 0);
END;

CREATE INDEX task_answered ON task (changed_at) WHERE kind <> 'retain' AND state = 'done';
CREATE INDEX task_to_purge ON task (due_at) WHERE kind = 'retain' AND state = 'queued';
CREATE INDEX capture_deleted ON capture (deleted_at) WHERE deleted_at <> '' AND file IS NOT NULL;
CREATE INDEX instance_with_file ON instance (file, sop_instance_uid) WHERE file IS NOT NULL;
CREATE INDEX instance_of_capture ON instance (capture_id);
CREATE INDEX study_by_number ON study (study_number);

-- An exam that began or changed is news too. The id in `change` is then the exam's.
CREATE TRIGGER exam_opened AFTER INSERT ON exam
BEGIN
    DELETE FROM change WHERE capture_id = new.exam_id;
    INSERT INTO change (capture_id) VALUES (new.exam_id);
END;

CREATE TRIGGER exam_changed AFTER UPDATE ON exam
BEGIN
    DELETE FROM change WHERE capture_id = new.exam_id;
    INSERT INTO change (capture_id) VALUES (new.exam_id);
END;

-- A picture's mark ends with what it was about: every archive has proved the picture, or its days are over.
UPDATE capture SET fault = ''
WHERE
    fault <> ''
    AND EXISTS (
        SELECT 1 FROM instance JOIN task ON task.sop_instance_uid = instance.sop_instance_uid
        WHERE instance.capture_id = capture.capture_id AND instance.withdrawn = 0 AND task.kind = 'retain'
    );

-- A reason is one JSON object: its code and its values. A sentence of an older version stays, with its code beside it.
DROP VIEW image;
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
    CASE WHEN capture.fault <> '' THEN '' ELSE coalesce(task.error_code, '') END AS error_code,
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
        AS proved_at,
    coalesce(instance.send_id, '') AS send_id,
    EXISTS (SELECT 1 FROM task AS kept_back
            WHERE kept_back.sop_instance_uid = instance.sop_instance_uid AND kept_back.state = 'held'
            AND kept_back.held_by_person = 1) AS held_by_person,
    -- A draft again, by a person, as long as no attempt has begun and the picture itself is here.
    instance.sop_instance_uid IS NOT NULL AND capture.file IS NOT NULL AND capture.fault = ''
    AND NOT EXISTS (SELECT 1 FROM task AS tried
                    WHERE tried.sop_instance_uid = instance.sop_instance_uid
                    AND (tried.attempts > 0 OR tried.kind <> 'store'
                         OR tried.state NOT IN ('held', 'queued', 'needs-you'))) AS can_be_recalled
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
