"""The cameras of this computer: what is plugged in, what it can, and how it does."""
