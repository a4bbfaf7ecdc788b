"""Decide: is the fine-tune better, does it pass the gates, what does it cost."""
