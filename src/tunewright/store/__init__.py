"""The store: write-once artifacts, runs, lineage, aliases and releases. Plain files, with a SQLite catalogue over them."""
