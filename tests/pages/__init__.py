"""Pages read bytes: recorded ones, invented ones and spoilt ones."""
