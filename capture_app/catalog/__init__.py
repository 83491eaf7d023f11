"""What was imaged, in codes: procedures, regions, the small choices, the body map."""
