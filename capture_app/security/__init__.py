"""Who did it: the key store, the users and their sign-in."""
