"""The version of training, in a file of its own: the table of steps names it where torch is not to be imported."""

VERSION = "8"
"""Raised when the same inputs would train otherwise, so that neither old adapters nor old checkpoints are taken for new."""
