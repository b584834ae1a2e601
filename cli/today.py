"""`recsys today`: a list for today, of what was liked and played."""

from typing import TYPE_CHECKING, Any

from recommender.cli.mix_options import GapOptions, LengthOptions, RuleOptions
from recommender.cli.mix_output import ListOptions, run_list
from recommender.cli.option_groups import grouped
from recommender.cli.output import note
from recommender.cli.similar_options import WithSeed

if TYPE_CHECKING:
    from recommender.playlists.repeats import Repeats
    from recommender.recommendation.mix_request import MixRequest
    from recommender.recommendation.mix_result import Mix
    from recommender.recommendation.service import SimilarityService


@grouped
def today_command(
    *,
    length: LengthOptions,
    with_seed: WithSeed = False,
    gaps: GapOptions,
    rules: RuleOptions,
    options: ListOptions,
) -> None:
    """Make today's list of what you liked and played; another one tomorrow.

    Works from 'recsys like', 'skip', 'played' and imported histories, and without any of them from
    tracks that are drawn.

    \b
    For example:
      recsys today --minutes 60 --save Today --replace
    """
    options.check_all(with_seed)

    def request(service: "SimilarityService", repeats: "Repeats") -> "MixRequest":
        from recommender.history.seeds import todays_request

        chosen = rules.rules(service.catalog, gaps, repeats)
        asked, seeds = todays_request(service, options.user, chosen, length.length())
        for remark in seeds.notes:
            note(remark)
        return asked

    def recipe(found: "Mix", repeats: "Repeats") -> dict[str, Any]:
        from recommender.playlists.recipes import todays_recipe, with_repeats

        return with_repeats(todays_recipe(found.request, options.user), repeats)

    run_list(options, request, with_seeds=with_seed, recipe=recipe, rules=rules)
