-- The wording that changes to an exam's patient are compared with, sealed; empty: that of the exam.
ALTER TABLE exam ADD COLUMN known BLOB NOT NULL DEFAULT x'';
