"""How the models are trained and evaluated; only this package and the command line import it."""
