"""All tracks of a catalogue seen at once: a map in two dimensions, and clusters.

Both are computed when they are asked for, stored in the catalogue, and read by `map_coordinates`
and `clusters`, which are cheap. Tracks that were added since are placed by `place_new_tracks`,
without any other track being moved. To compute needs openTSNE and scikit-learn; to read neither.
"""

from recommender.library_map.clusters import Clusters, clusters, compute_clusters, members
from recommender.library_map.coordinates import MapCoordinates, compute_map, map_coordinates
from recommender.library_map.new_tracks import place_new_tracks

__all__ = [
    "Clusters",
    "MapCoordinates",
    "clusters",
    "compute_clusters",
    "compute_map",
    "map_coordinates",
    "members",
    "place_new_tracks",
]
