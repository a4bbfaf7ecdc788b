"""`tunewright data review`: rows one after the other in the terminal."""
