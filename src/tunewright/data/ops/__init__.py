"""Recipe operations: one file each, found by its name. `apply(spec, examples)` says what is kept and what is not."""
