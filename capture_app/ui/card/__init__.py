"""The page of memory cards and watched folders: whose the pictures are, and one touch each."""
