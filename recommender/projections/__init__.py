"""Fitting of projections: LDA and within-class covariance normalisation."""
