"""Data: files become examples (sources, ingest), examples are cleaned (recipe, ops), audited, split and frozen."""
