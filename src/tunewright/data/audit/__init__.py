"""The audit of a data set: what is odd about its rows, each finding with its place and what mends it."""
