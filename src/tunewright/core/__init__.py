"""The nouns: messages, examples, replies, scores, events, errors, hashing, and the protocols built on them."""
