"""What prepares a machine for the project, with the standard library alone."""
