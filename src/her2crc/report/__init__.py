"""Stage 5: the answer for people and for other systems."""
