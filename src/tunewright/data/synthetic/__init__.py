"""Rows that are written rather than collected: columns by rules and by teachers, presets, and what keeps them honest."""
