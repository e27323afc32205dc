"""Judges: what finds people in an image, says who they are and checks the prompt."""
