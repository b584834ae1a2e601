"""Fitting of projections: linear discriminants and within-class covariance normalisation."""
