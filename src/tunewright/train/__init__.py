"""Training: methods, the loop, the gate before it and the proofs after it."""
