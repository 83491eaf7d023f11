"""The patients page: who is there, found and opened."""
