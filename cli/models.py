"""`recsys models`."""

from collections.abc import Mapping
from typing import Any

from recommender.cli.output import (
    AsJson,
    print_json,
    print_table,
    say,
)


def models_command(as_json: AsJson = False) -> None:
    """List the shipped models and the paper's families that can be trained, with their figures."""
    from recommender.embedding.model_files import DEFAULT_MODEL, find_model, shipped_models
    from recommender.research.reproduction.formatting import NONE
    from recommender.research.reproduction.published_results import (
        family_results,
        milliseconds_per_track,
        spread,
    )

    cards = [find_model(name).card for name in shipped_models()]
    families, took = family_results(), milliseconds_per_track()
    if as_json:
        models = [
            {
                **vars(card),
                "default": card.name == DEFAULT_MODEL,
                "milliseconds_per_track": took.get(card.name),
            }
            for card in cards
        ]
        print_json({"models": models, "families": [vars(family) for family in families]})
        return
    say("shipped models, for 'recsys ingest --model' (mean ± deviation over seeds):")
    print_table(
        (
            "model",
            "networks",
            ">test accuracy",
            ">not_analysed artists",
            ">precision@10",
            ">as recommended",
            "seeds",
            ">ms a track",
        ),
        (
            (
                card.name if card.has_test_results else f"{card.name} *",
                card.architecture_summary,
                *(_mean_and_spread(card.measured, figure) for figure in FIGURES),
                len(card.measured.get("seeds", ())),
                f"{took[card.name]:.1f}" if card.name in took else NONE,
            )
            for card in cards
        ),
    )
    if not all(card.has_test_results for card in cards):
        say("* taught all tracks; its figures are those of the same taught the training tracks")
    say()
    say("families of the paper as it trains them, for 'recsys train' ('recsys study report'):")
    print_table(
        ("family", "section", ">parameters", ">test accuracy", ">precision@10", "seeds", "summary"),
        (
            (
                family.name,
                family.section,
                f"{family.parameters:,}",
                spread(family.test_track, full_length=family.full_length),
                spread(family.test_precision, full_length=family.full_length),
                len(family.test_track),
                family.summary,
            )
            for family in families
        ),
    )


FIGURES = ("test_track", "disjoint_track", "test_precision", "reranked_test_precision")


def _mean_and_spread(results: Mapping[str, Any], name: str) -> str:
    from recommender.research.reproduction.formatting import NONE, percent

    figures = results.get(name)
    return f"{percent(figures['mean'], figures['sd'])} %" if figures else NONE
