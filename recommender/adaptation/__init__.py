"""The projection fitted to one's own music, and kept only where held-out tracks say it is better.

`fitting` has the candidates, `held_out` measures them on tracks they were not fitted on, `choice`
decides, and `run` does it all for a catalogue.
"""

from recommender.adaptation.choice import Choice
from recommender.adaptation.held_out import Measure
from recommender.adaptation.music import LEAST_TRACKS, Music
from recommender.adaptation.run import Adaptation, adapt, adaptation_of, undo

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
