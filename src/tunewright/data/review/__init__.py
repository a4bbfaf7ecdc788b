"""Rows under review by people: what was decided, the files and forms it goes through, and what it says of the rows."""
