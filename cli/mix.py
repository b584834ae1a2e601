"""`recsys mix`, `radio`, `path`, `order` and `grow`: lists made of one or several seeds."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.mix_options import (
    GapOptions,
    LengthOptions,
    RuleOptions,
    Seeds,
    Unlike,
)
from recommender.cli.mix_output import ListOptions, run_list
from recommender.cli.option_groups import grouped
from recommender.cli.output import hint
from recommender.cli.saving import no_recipe, recipe_of
from recommender.cli.seed_arguments import seed_arguments
from recommender.cli.similar_options import WithSeed
from recommender.errors import TrackNotFound

if TYPE_CHECKING:
    from recommender.playlists.repeats import Repeats
    from recommender.recommendation.mix_request import Kind, MixRequest
    from recommender.recommendation.service import SimilarityService


@grouped
def mix_command(
    seeds: Seeds,
    *,
    unlike: Unlike = None,
    length: LengthOptions,
    with_seed: WithSeed = False,
    gaps: GapOptions,
    rules: RuleOptions,
    options: ListOptions,
) -> None:
    """Make a list that is like several tracks, and unlike others.

    \b
    For example:
      recsys mix "Boss Door" 17 --not ~/Music/noise.flac -k 25 --save Morning
    """
    _run_like("mix", seeds, unlike, length, with_seed, gaps, rules, options)


@grouped
def radio_command(
    seeds: Seeds,
    *,
    unlike: Unlike = None,
    length: LengthOptions,
    with_seed: WithSeed = False,
    gaps: GapOptions,
    rules: RuleOptions,
    options: ListOptions,
) -> None:
    """Make a long list that stays near its seeds and repeats neither artist, album nor recording.

    \b
    For example:
      recsys radio "Boss Door" --minutes 90 --not-played 7 --m3u radio.m3u8
    """
    _run_like("radio", seeds, unlike, length, with_seed, gaps, rules, options)


def _run_like(
    kind: "Kind",
    seeds: list[str],
    unlike: list[str] | None,
    length: LengthOptions,
    with_seed: bool,
    gaps: GapOptions,
    rules: RuleOptions,
    options: ListOptions,
) -> None:
    options.check_all(with_seed)

    def request(service: "SimilarityService", repeats: "Repeats") -> "MixRequest":
        from recommender.recommendation.mix_request import MixRequest, SeedSet

        like = seed_arguments(service.catalog, seeds).queries
        away = seed_arguments(service.catalog, unlike).queries if unlike else ()
        chosen = rules.rules(service.catalog, gaps, repeats)
        return MixRequest(kind, SeedSet(like, away), chosen, length.length())

    run_list(options, request, with_seeds=with_seed, rules=rules)


End = Annotated[
    str, typer.Argument(metavar="FROM", help="Where it begins: a track id, a path, or a title.")
]
OtherEnd = Annotated[str, typer.Argument(metavar="TO", help="Where it ends.")]


@grouped
def path_command(
    start: End,
    end: OtherEnd,
    *,
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="From one end to the other; at most 100.")
    ] = 10,
    rules: RuleOptions,
    options: ListOptions,
) -> None:
    """List a way from one track to another in small steps, one track an artist.

    \b
    For example:
      recsys path "Boss Door" "Court of Ash" --steps 12
    """
    options.check_all()

    def request(service: "SimilarityService", repeats: "Repeats") -> "MixRequest":
        from recommender.recommendation.mix_request import MixRequest, SeedSet

        chosen = rules.rules(service.catalog, repeats=repeats)
        return MixRequest("path", SeedSet((start, end)), chosen, steps=steps)

    run_list(options, request, rules=rules)


PLAYLISTS = "('recsys playlist list' shows the stored playlists.)"

ToOrder = Annotated[
    list[str],
    typer.Argument(
        metavar="PLAYLIST…",
        help="What is ordered: playlist files, names of stored playlists, or single tracks.",
    ),
]
ToGrow = Annotated[
    list[str],
    typer.Argument(
        metavar="PLAYLIST…",
        help="What is added to: playlist files, names of stored playlists, or single tracks.",
    ),
]


class OrderedBy(StrEnum):
    """What a list is ordered by."""

    SOUND = "sound"
    TEMPO_KEY = "tempo-key"


@grouped
def order_command(
    playlists: ToOrder,
    *,
    first: Annotated[
        str | None,
        typer.Option(
            metavar="TRACK",
            help="The track that comes first. Default: whichever suits.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        OrderedBy,
        typer.Option(
            metavar="sound|tempo-key",
            help="What neighbours in the list are to have in common: their sound, or tempo and "
            "key.",
        ),
    ] = OrderedBy.SOUND,
    options: ListOptions,
) -> None:
    """Bring a list into its smoothest order, in which each track sounds like the one before.

    \b
    For example:
      recsys order party.m3u8 --m3u party-in-order.m3u8
    """
    options.check_all()

    def request(service: "SimilarityService", _: "Repeats") -> "MixRequest":
        from recommender.recommendation.mix_request import MixRequest, SeedSet

        found = seed_arguments(service.catalog, playlists, options.user)
        found.keep_whole(options.m3u, options.target(service.catalog, options.user))
        return MixRequest("order", SeedSet(found.queries), first=first, by=by.value)

    with hint(TrackNotFound, PLAYLISTS):
        run_list(options, request)


@grouped
def grow_command(
    playlists: ToGrow,
    *,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            metavar="X",
            help="Add every track whose similarity to the nearest of the list is X or more.",
            show_default=False,
        ),
    ] = None,
    unlike: Unlike = None,
    length: LengthOptions,
    only_new: Annotated[
        bool,
        typer.Option(
            "--only-new", help="Write and save the tracks to add alone, not the list before them."
        ),
    ] = False,
    gaps: GapOptions,
    rules: RuleOptions,
    options: ListOptions,
) -> None:
    """List the tracks to add to a playlist: so many, or all that are near enough.

    \b
    For example:
      recsys grow party.m3u8 --threshold 0.6 --m3u longer-party.m3u8
    """
    options.check_all()

    def request(service: "SimilarityService", repeats: "Repeats") -> "MixRequest":
        from recommender.recommendation.mix_request import MixRequest, SeedSet

        found = seed_arguments(service.catalog, playlists, options.user)
        found.keep_whole(options.m3u, options.target(service.catalog, options.user))
        away = seed_arguments(service.catalog, unlike).queries if unlike else ()
        chosen = rules.rules(service.catalog, gaps, repeats)
        seeds = SeedSet(found.queries, away)
        return MixRequest("grow", seeds, chosen, length.length(), threshold=threshold)

    # The recipe of a list that grows keeps what the list had.
    recipe = no_recipe if only_new else recipe_of
    with hint(TrackNotFound, PLAYLISTS):
        run_list(options, request, with_seeds=not only_new, recipe=recipe, rules=rules)
