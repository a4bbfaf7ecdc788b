"""What each step of the table does, as functions of a StepContext: thin, the rooms below do the work."""
