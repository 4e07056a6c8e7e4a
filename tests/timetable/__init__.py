"""Promises of the timetable: what is due runs once, whatever dies meanwhile."""
