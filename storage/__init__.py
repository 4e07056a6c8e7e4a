"""Memory: the only room that speaks SQL."""
