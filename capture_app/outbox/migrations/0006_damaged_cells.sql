-- A damaged cell hides no picture and doubles none.

-- Instances that were sent and not taken back, whatever a damaged `withdrawn` says: who takes one back clears its file in the
-- same statement, and only what every archive has proved has a retain step. `picture` is the picture's id also where the row does
-- not name it any more: the instance that was sealed first goes by the picture's own UID.
CREATE VIEW counted AS
SELECT
    instance.*,
    coalesce(
        (SELECT named.capture_id FROM capture AS named WHERE named.capture_id = instance.capture_id),
        instance.sop_instance_uid
    ) AS picture
FROM instance
WHERE
    instance.withdrawn = 0 OR instance.file IS NOT NULL
    OR EXISTS (SELECT 1 FROM task WHERE task.sop_instance_uid = instance.sop_instance_uid AND task.kind = 'retain');

DROP TRIGGER draft_changed;
CREATE TRIGGER draft_changed AFTER UPDATE OF file, deleted_at ON capture
BEGIN
    DELETE FROM draft WHERE capture_id = new.capture_id;
    INSERT INTO draft (capture_id)
    SELECT new.capture_id
    WHERE
        new.file IS NOT NULL AND new.deleted_at = ''
        AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.capture_id = new.capture_id)
        AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.sop_instance_uid = new.capture_id);
END;

DROP TRIGGER draft_withdrawn;
CREATE TRIGGER draft_withdrawn AFTER UPDATE OF withdrawn ON instance
BEGIN
    DELETE FROM draft WHERE capture_id = new.capture_id;
    INSERT INTO draft (capture_id)
    SELECT capture.capture_id FROM capture
    WHERE
        capture.capture_id = new.capture_id AND capture.file IS NOT NULL AND capture.deleted_at = ''
        AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.capture_id = new.capture_id)
        AND NOT EXISTS (SELECT 1 FROM counted WHERE counted.sop_instance_uid = new.capture_id);
END;

-- A picture is listed also where the row of its exam is gone or not named rightly, and it is listed once.
DROP VIEW image;
CREATE VIEW image AS
SELECT
    capture.capture_id,
    coalesce(instance.sop_instance_uid, capture.capture_id) AS sop_instance_uid,
    capture.exam_id,
    coalesce(exam.patient_key, '') AS patient_key,
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
LEFT JOIN exam ON exam.exam_id = capture.exam_id
LEFT JOIN instance ON instance.sop_instance_uid = coalesce(
    (SELECT counted.sop_instance_uid FROM counted WHERE counted.capture_id = capture.capture_id
     ORDER BY counted.withdrawn = 0 DESC LIMIT 1),
    (SELECT counted.sop_instance_uid FROM counted WHERE counted.sop_instance_uid = capture.capture_id)
)
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
