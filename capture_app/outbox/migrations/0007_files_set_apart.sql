-- Sealed files without a row that could not be taken in: every process shows them, whichever looked. Names of files, nothing else.
CREATE TABLE set_apart (
    folder TEXT NOT NULL,
    file TEXT NOT NULL,
    found_at TEXT NOT NULL,
    PRIMARY KEY (folder, file)
) STRICT, WITHOUT ROWID;
