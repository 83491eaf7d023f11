-- How many letters, of how many bytes, each sender has, without a look at every letter: a full box must not slow the feed.
CREATE INDEX dead_letters_of_senders ON dead_letters (sender, dead_letter_id, length(message));
