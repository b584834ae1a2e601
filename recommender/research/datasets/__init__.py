"""Data sets that models are trained and tested on."""
