"""Everything that answers: a model under torch, a model with a prompt around it, and variants by their description."""
