"""`recsys search`: tracks by words."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.listed_tracks import listed_track
from recommender.cli.option_groups import grouped
from recommender.cli.options import AsJson, Database
from recommender.cli.output import busy, counted, note, open_catalog, print_json, print_table, say
from recommender.cli.playlist_output import PlaylistOptions
from recommender.cli.table_layout import Column, Cut
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.recommendation.word_search import Match, WordMatches

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="WORD…",
        help="Words, 'no WORD' or -WORD, \"phrases\", and ranges such as tempo:120-130 (also key, "
        "energy, danceability, acousticness, vocals).",
    ),
]
ListLength = Annotated[int, typer.Option("-k", min=1, metavar="N", help="How many tracks.")]


@grouped
def search_command(
    words: Words,
    *,
    k: ListLength = 10,
    playlist: PlaylistOptions,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """List the tracks that fit words best: moods, instruments, genres, voices.

    Words are looked up among the tags of the model musicnn ('recsys models add musicnn', then
    ingest with it), the predicted genres, and the musical descriptors. The score says how a track
    stands among all others; beside it stand the likelihoods. Options come before the words where
    one of these begins with a hyphen: recsys search -k 5 -- piano -vocals.
    """
    from recommender.recommendation.word_search import search_words

    playlist.check_playlist(as_json, False)
    with busy("searching"), open_catalog(db) as catalog:
        found = search_words(catalog, " ".join(words), k)
        listed = playlist.tracks(catalog, [match.track for match in found.matches])
    playlist.write(listed)
    if as_json:
        print_json(_as_dict(found))
    elif not playlist.on_stdout:
        _print(found)
    if found.unmatched:
        note(f"left out, as nothing here tells of them: {one_line(', '.join(found.unmatched))}")
    for term, highest in found.unlikely.items():
        note(f"no track is likely {term!r}: the highest probability is {highest:.2f}.")
    if not found.matches:
        note("no track has all of that.")


def _as_dict(found: "WordMatches") -> dict[str, Any]:
    return {
        "schema_version": 1,
        "terms": found.terms,
        "unmatched": found.unmatched,
        "unlikely": found.unlikely,
        "candidates": found.candidates,
        "sources": found.sources,
        "matches": [
            {
                "rank": match.rank,
                **listed_track(match.track),
                "score": round(match.score, 4),
                "terms": match.terms,
            }
            for match in found.matches
        ],
    }


def _print(found: "WordMatches") -> None:
    if not found.matches:
        return
    columns = [
        Column("rank", number=True),
        Column("score", number=True),
        *(Column(term.replace("no ", "-", 1), number=True, drop=1) for term in found.terms),
        Column("title", least=16),
        Column("artist", least=12),
        Column("id", number=True, drop=2),
        Column("path", least=16, drop=3, cut=Cut.START),
    ]
    print_table(columns, map(_row, found.matches))
    say(
        f"Of {counted(found.candidates, 'track')}. Score: the share of the catalogue's tracks that "
        "fit less well. Under each word: its probability, or the descriptor's value."
    )


def _row(match: "Match") -> tuple[object, ...]:
    track = match.track
    terms = ("" if value is None else f"{value:.2f}" for value in match.terms.values())
    named = (track.title, track.artist or "", track.id, track.path)
    return (match.rank, f"{match.score:.2f}", *terms, *named)
