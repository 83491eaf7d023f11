-- The oldest letter of a sender that is no merge, and the newest of all, without a look at the others.
CREATE INDEX oldest_letters ON dead_letters (sender, is_merge, dead_letter_id);
CREATE INDEX newest_letters ON dead_letters (received_at, dead_letter_id);
