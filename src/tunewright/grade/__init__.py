"""Graders: one file for each type, found by its name. The same piece filters data, scores evals and rewards RL."""
