"""From vectors to the nearest of them: a mapped index, its updates, reranking."""
