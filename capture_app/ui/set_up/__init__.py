"""The first user of a new computer."""
