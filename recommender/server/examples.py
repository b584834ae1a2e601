"""Examples of what is answered, for the OpenAPI document: of each part by its name there.

Answers that consist of such parts need none of their own.
"""

from typing import Any

_TRACK = {
    "id": 17,
    "title": "Chibi Ninja",
    "artist": "Eric Skiff",
    "artists": ["Eric Skiff"],
    "album": "Resistor Anthems",
    "album_artist": None,
    "genre": "chiptune",
    "predicted_genre": "electronic",
    "track_number": 2,
    "year": 2011,
    "duration": 122.4,
    "state": "analysed",
    "damaged": False,
    "isrcs": ["USRC17607839"],
}
_ENTRY = {
    "item_id": "17",
    "title": "Chibi Ninja",
    "author": "Eric Skiff",
    "album": "Resistor Anthems",
}
_SCORE = {
    **_ENTRY,
    "tempo": 140.0,
    "key": "A",
    "scale": "minor",
    "energy": 0.71,
    "mood_vector": "electronic:0.62,rock:0.2",
    "other_features": "danceability:0.8",
}
_WHEN = "2026-11-25T14:00:00Z"

EXAMPLES: dict[str, dict[str, Any]] = {
    "Health": {"status": "ok"},
    "Readiness": {"status": "ready"},
    "TrackModel": _TRACK,
    "ArtistModel": {
        "id": "0123456789abcdef0123",
        "name": "Eric Skiff",
        "tracks": 12,
        "albums": 1,
    },
    "AlbumModel": {
        "id": "abcdef0123456789abcd",
        "name": "Resistor Anthems",
        "artist": "Eric Skiff",
        "artist_id": "0123456789abcdef0123",
        "year": 2011,
        "tracks": 12,
        "duration": 2103.7,
    },
    "DuplicatePair": {
        "one": 17,
        "other": 42,
        "same_sound": True,
        "similarity": 0.9991,
        "seconds_apart": 0.02,
    },
    "PlaylistModel": {
        "id": 3,
        "name": "Evening",
        "comment": "",
        "shared": False,
        "track_ids": [17, 42],
        "recipe": None,
        "created_at": _WHEN,
        "changed_at": _WHEN,
        "run_at": None,
    },
    "EventModel": {"kind": "play", "track_id": 17, "at": _WHEN, "source": "http"},
    "ExclusionModel": {"id": 1, "kind": "artist", "value": "Various DJs", "added_at": _WHEN},
    "IngestModel": {
        "id": 1,
        "state": "running",
        "libraries": [1],
        "queued_at": _WHEN,
        "started_at": _WHEN,
        "ended_at": None,
        "progress": {"phase": "analysing", "scanned": 812, "planned": 40, "done": 12, "failed": 0},
        "counts": None,
        "error": None,
    },
    "LibraryModel": {"id": 1, "analysed": 812, "missing": 0, "unavailable": 0, "failed": 1},
    "FailureModel": {
        "file": "noise.flac",
        "library": 1,
        "kind": "unreadable",
        "advice": "It is damaged or no sound at all: replace it, or take it out of the folder.",
        "failed_at": _WHEN,
    },
    "GenrePrecision": {
        "genre": "chiptune",
        "queries": 120,
        "precision": 0.61,
        "low": 0.55,
        "high": 0.67,
        "chance": 0.08,
    },
    "PlaceModel": {"id": 17, "x": 20480, "y": 51200},
    "ClusterModel": {"number": 1, "name": "chiptune, electronic", "tracks": 131},
    "TrackDescriptors": {
        "id": 17,
        "tempo": 140.0,
        "key_name": "A minor",
        "camelot": "8A",
        "energy": 0.71,
        "danceability": 0.8,
        "acousticness": 0.05,
        "vocals": 0.1,
    },
    "DescriptorsModel": {
        "loudness": -11.2,
        "loudness_range": 4.1,
        "tempo": 140.0,
        "tempo_confidence": 0.8,
        "second_tempo": 70.0,
        "beat_strength": 0.6,
        "key": 9,
        "mode": "minor",
        "key_name": "A minor",
        "camelot": "8A",
        "key_confidence": 0.7,
        "tuning": -3.0,
        "energy": 0.71,
        "danceability": 0.8,
        "acousticness": 0.05,
        "brightness": 2310.0,
        "percussive": 0.4,
        "vocals": 0.1,
        "dynamic_complexity": 2.2,
        "speech": 0.01,
    },
    "Score": _SCORE,
    "SyncedScore": {**_SCORE, "id": "17"},
    "Entry": _ENTRY,
    "FoundEntry": {**_ENTRY, "album_artist": ""},
    "DistantEntry": {**_ENTRY, "distance": 0.31},
    "Song": {"item_id": "17", "title": "Chibi Ninja"},
    "Farthest": {"max_distance": 0.97, "farthest_item_id": "42"},
    "StoredPlaylist": {
        "message": "The playlist is stored.",
        "playlist_id": "3",
        "tracks": 2,
        "unknown": [],
    },
    "StoredRadio": {"id": "3", "name": "Evening", "tracks": 50},
    "Failed": {"error": "No analysed track has this id."},
}


def add_examples(document: dict[str, Any]) -> None:
    """Put the examples into an OpenAPI document."""
    schemas = document.get("components", {}).get("schemas", {})
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name].setdefault("example", example)
