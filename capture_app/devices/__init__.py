"""HOW: what brings the light. Frame sources of every kind, and the thread that reads one."""
