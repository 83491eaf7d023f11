"""The trail, for auditors: what was done on this computer, and whether that is whole."""
