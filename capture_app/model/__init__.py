"""What things are: frozen dataclasses and enums, standard library only (numpy in frame)."""
