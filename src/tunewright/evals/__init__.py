"""Evals: variant × suite → scorecard, example by example, and the statistics that judge them."""
