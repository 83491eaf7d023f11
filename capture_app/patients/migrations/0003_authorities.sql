-- Under which two names, namespace and universal ID, messages know one authority. Sealed; learnt from the messages, and made again
-- from them with the states.
CREATE TABLE authorities (
    authority_id INTEGER PRIMARY KEY,
    pair_key BLOB NOT NULL UNIQUE,
    pair BLOB NOT NULL
) STRICT;
