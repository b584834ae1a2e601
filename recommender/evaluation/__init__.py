"""How good recommendations are: retrieval metrics, their intervals, comparison of models."""
