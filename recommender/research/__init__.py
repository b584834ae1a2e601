"""The workshop that made the models; only this package and the command line import it."""
