"""Settings: typed, described, versioned, from defaults, files, environment and flags."""
