"""The report: one self-contained HTML page, the verdict first."""
