"""Carries the timetable out: what is due is started by scrapyd, and watched to its true end."""
