-- What the admissions feed said, as it said it, and what follows from it. Messages and states are
-- sealed (store/cipher.py); keys are keyed hashes: no patient data stands in clear.
CREATE TABLE census (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    created_at TEXT NOT NULL, -- nothing is known of patients who came before and said nothing since
    reading TEXT NOT NULL -- keyed hash of the settings and rules that the states were folded with
) STRICT;

-- The last row of a patient has the state: what all of the patient's messages come to. It is made
-- again from them whenever settings or rules change.
CREATE TABLE events (
    event_id INTEGER PRIMARY KEY, -- the order of arrival; the last one is never deleted
    received_at TEXT NOT NULL,
    duplicate_key BLOB NOT NULL UNIQUE, -- of sender, MSH-10, MSH-7 and content
    patient_key BLOB NOT NULL,
    message BLOB NOT NULL,
    state BLOB -- in the last row of a patient only
) STRICT;

CREATE INDEX events_by_patient ON events (patient_key);

CREATE TABLE dead_letters (
    dead_letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL, -- the last time
    times INTEGER NOT NULL,
    duplicate_key BLOB NOT NULL UNIQUE,
    ack_code TEXT NOT NULL,
    reason TEXT NOT NULL, -- our own words, without patient data
    message BLOB NOT NULL
) STRICT;
