-- Whom and what a picture shows leaves the rows, too, some time after its files: what is asked for those rows must not read all
-- that ever was.
CREATE INDEX capture_over ON capture (capture_id) WHERE file IS NULL AND length(description) > 0;
CREATE INDEX exam_in_words ON exam (opened_at) WHERE length(sealed) > 0;
