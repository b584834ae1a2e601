"""From vectors to the nearest of them: FAISS, exact rescoring, reranking."""
