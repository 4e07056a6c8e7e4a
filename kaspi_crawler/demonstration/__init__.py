"""The demonstration of the whole job, against the sandbox."""
