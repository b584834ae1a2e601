"""A projection fitted to the catalogue's own music, kept only where held-out tracks improve.

`candidates` fits projections, `cross_validation` evaluates them on tracks they were not fitted on,
`selection` decides, and `adapt` does it all for a catalogue.
"""

from recommender.adaptation.adapt import Adaptation, adapt, adaptation_of, undo
from recommender.adaptation.cross_validation import Measure
from recommender.adaptation.selection import Choice
from recommender.adaptation.settings import AdaptationSettings
from recommender.adaptation.training_data import TrainingData

__all__ = [
    "Adaptation",
    "AdaptationSettings",
    "Choice",
    "Measure",
    "TrainingData",
    "adapt",
    "adaptation_of",
    "undo",
]
