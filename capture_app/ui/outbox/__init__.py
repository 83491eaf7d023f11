"""The outbox page: what needs a person, what waits, what is confirmed."""
