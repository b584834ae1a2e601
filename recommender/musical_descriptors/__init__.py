"""Descriptors that a person understands, computed from the windows that are decoded of a track.

`MusicalDescriptors` is the record, `definitions.DEFINITIONS` says what each value is, where its
definition comes from and what it was judged by, and `extraction.describe_windows` computes them all
with numpy alone. Where a value cannot be told, it is None.
"""

from recommender.musical_descriptors.record import NAMES, VERSION, MusicalDescriptors

__all__ = ["NAMES", "VERSION", "MusicalDescriptors"]
