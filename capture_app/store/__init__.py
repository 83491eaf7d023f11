"""Disk: the database, the sealed file, the cipher. The key is handed in."""
