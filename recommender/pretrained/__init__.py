"""Models of others: their files fetched, checked, and written as models of this package."""
