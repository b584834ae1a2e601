"""From activations to embeddings: the model's card and files, its projection and its genre head."""
