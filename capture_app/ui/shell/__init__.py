"""The frame round the pages: window, navigation, lock, theme, shortcuts."""
