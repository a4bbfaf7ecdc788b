"""A project: its file, the table of steps, what is stale, and the run that mends it."""
