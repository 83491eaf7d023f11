-- When a worklist was seen to give the order of an exam to another patient while pictures waited for it; empty: never. What it says
-- later does not undo that: nothing of the exam is sent under the order any more.
ALTER TABLE exam ADD COLUMN order_doubted TEXT NOT NULL DEFAULT '';
UPDATE exam SET order_doubted = opened_at
WHERE exam_id IN (
    SELECT capture.exam_id FROM task JOIN instance USING (sop_instance_uid) JOIN capture USING (capture_id)
    WHERE task.error_code = 'study-shared'
);
UPDATE task SET error_code = 'order-doubted', last_error = '{"code": "order-doubted"}' WHERE error_code = 'study-shared';
