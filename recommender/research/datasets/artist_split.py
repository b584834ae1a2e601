"""Dividing labelled tracks into train, valid and test so that no artist is in two of them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from recommender.errors import DatasetError

SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}


def split_by_artist(genres: Sequence[str], artists: Sequence[str]) -> dict[str, list[int]]:
    """Rows of each split, ascending; the same for the same tracks on every machine.

    Artists are taken in the order of a hash of their names. Each goes, with all tracks, to the
    split that lacks most tracks of the artist's most frequent genre. A blank artist is one of its
    own.

    Args:
        genres: of n tracks.
        artists: of the same tracks.

    Raises:
        DatasetError: there are fewer than two genres, or one has not enough artists for all splits.
    """
    rows_of = defaultdict(list)
    for row, artist in enumerate(artists):
        rows_of[artist.casefold() or f"\0{row}"].append(row)
    _require_enough(genres, rows_of)
    totals = Counter(genres)
    splits: dict[str, list[int]] = {name: [] for name in SHARES}
    counts = {name: Counter[str]() for name in SHARES}
    for artist in sorted(rows_of, key=_hash):
        rows = rows_of[artist]
        genre = Counter(genres[row] for row in rows).most_common(1)[0][0]
        lacking = {
            name: share - counts[name][genre] / totals[genre] for name, share in SHARES.items()
        }
        # First every split gets an artist of each genre: a genre must not be absent from one.
        empty = [name for name in SHARES if not counts[name][genre]]
        name = empty[0] if empty else max(lacking, key=lambda split: lacking[split])
        splits[name] += rows
        counts[name].update(genres[row] for row in rows)
    return {name: sorted(rows) for name, rows in splits.items()}


def _require_enough(genres: Sequence[str], rows_of: Mapping[str, Sequence[int]]) -> None:
    artists: dict[str, set[str]] = defaultdict(set)
    main: dict[str, set[str]] = defaultdict(set)
    for artist, rows in rows_of.items():
        own = Counter(genres[row] for row in rows)
        main[own.most_common(1)[0][0]].add(artist)
        for genre in own:
            artists[genre].add(artist)
    if len(artists) < 2:
        raise DatasetError(
            f"all tracks are of one genre ({next(iter(artists), 'none')}): a model learns to tell "
            "genres apart, so that at least two are needed."
        )
    few = sorted(genre for genre in artists if len(main[genre]) < len(SHARES))
    if few:
        raise DatasetError(
            f"of the genre{'s' if len(few) > 1 else ''} {', '.join(few)} there are tracks by fewer "
            f"than {len(SHARES)} artists: train, valid and test need an artist each. Leave "
            f"{'them' if len(few) > 1 else 'it'} out, or add tracks."
        )


def _hash(artist: str) -> bytes:
    return hashlib.blake2b(artist.encode("utf-8", "surrogatepass"), digest_size=8).digest()
