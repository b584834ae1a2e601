"""Weights with their cards, split lists and result tables, as package data."""
