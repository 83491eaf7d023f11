-- The newest of what is done with, without reading all that ever was: a picture's retain step speaks for it.
CREATE INDEX task_kept ON task (changed_at) WHERE kind = 'retain';
