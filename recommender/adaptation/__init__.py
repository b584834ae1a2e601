"""The projection fitted to one's own music, and kept only where held-out tracks say it is better.

`fitting` has the candidates, `held_out` measures them on tracks they were not fitted on, `choice`
decides, and `run` does it all for a catalogue.
"""

from recommender.adaptation.adapt import Adaptation, adapt, adaptation_of, undo
from recommender.adaptation.cross_validation import Measure
from recommender.adaptation.selection import Choice
from recommender.adaptation.training_data import LEAST_TRACKS, Music

__all__ = [
    "LEAST_TRACKS",
    "Adaptation",
    "Choice",
    "Measure",
    "Music",
    "adapt",
    "adaptation_of",
    "undo",
]
