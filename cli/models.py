"""`recsys models`: the models at hand, others to add, and the families that can be trained."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli import model_changes
from recommender.cli.help import PanelGroup
from recommender.cli.options import AsJson
from recommender.cli.output import counted, print_facts, print_json, print_table, say
from recommender.cli.table_layout import Column

if TYPE_CHECKING:
    from recommender.embedding.model_card import ModelCard

FIGURES = {
    "test_track": "accuracy",
    "disjoint_track": "artist-disjoint",
    "test_precision": "precision@10",
    "reranked_test_precision": "reranked",
}
"""Results in a card, and how the table calls them."""

ALWAYS_SHOWN = ("test_track", "reranked_test_precision")
"""The two that a narrow terminal still shows."""

ModelName = Annotated[
    str, typer.Argument(metavar="NAME", help="A shipped or an added model, or a folder of weights.")
]


class ModelsGroup(PanelGroup):
    """Takes the name of a model where a command could stand: its card is shown."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command, 'show' for any other word."""
        if args and self.get_command(ctx, args[0]) is None:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


models_app = typer.Typer(invoke_without_command=True)
models_app.command("add")(model_changes.models_add_command)
models_app.command("remove")(model_changes.models_remove_command)


@models_app.callback()
def models_command(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models at hand and the paper's families with their figures.

    'recsys models NAME' shows the card of one. In a narrow terminal columns are left out: first the
    summary, last the figures.
    """
    from recommender.embedding.model_files import ADDABLE, added_models, find_model, shipped_models

    if context.invoked_subcommand is not None:
        return
    cards = [find_model(shipped).card for shipped in shipped_models()]
    added = [find_model(name).card for name in added_models()]
    if as_json:
        print_json(_as_dict(cards, added))
        return
    say("shipped models, for 'recsys ingest --model' (%, mean ± sd over seeds):")
    _print_models(cards)
    say()
    if added:
        say("added models, trained by others on other data:")
        _print_added(added)
        say()
    if absent := sorted(set(ADDABLE.values()) - {card.name for card in added}):
        names = ", ".join(absent)
        say(f"to be added, trained by others on far more music ('recsys models add'): {names}")
        say()
    say("families of the paper as it trains them, for 'recsys train':")
    _print_families()
    say()
    say("'recsys models NAME' shows a model's card.")


@models_app.command("show")
def models_show_command(name: ModelName, as_json: AsJson = False) -> None:
    """Show the card of a model."""
    from recommender.embedding.model_files import find_model

    card = find_model(name).card
    if as_json:
        print_json(vars(card))
    else:
        print_facts(_card_facts(card))


def _as_dict(cards: "list[ModelCard]", added: "list[ModelCard]") -> dict[str, Any]:
    from recommender.embedding.model_files import DEFAULT_MODEL
    from recommender.research.reproduction.published_results import (
        family_results,
        milliseconds_per_track,
    )

    took = milliseconds_per_track()
    models = [
        {
            **vars(card),
            "default": card.name == DEFAULT_MODEL,
            "milliseconds_per_track": took.get(card.name),
        }
        for card in cards
    ]
    return {
        "models": models,
        "added": [vars(card) for card in added],
        "families": [vars(family) for family in family_results()],
    }


def _print_added(cards: "list[ModelCard]") -> None:
    columns = (
        Column("model", least=16),
        Column("s/track", number=True),
        Column("figures", least=30, drop=2),
        Column("trained on", least=20, drop=3),
        Column("licence", least=10, drop=1),
    )
    rows = []
    for card in cards:
        took = card.results.get("processor_s_per_track")
        facts = (card.results.get("summary"), card.data.get("trained_on"))
        licence = card.results.get("licence_name") or card.licence
        shown = ["" if fact is None else str(fact) for fact in (*facts, licence)]
        rows.append((card.name, "" if took is None else f"{took:.2f}", *shown))
    print_table(columns, rows)


def _print_models(cards: "list[ModelCard]") -> None:
    from recommender.embedding.model_files import DEFAULT_MODEL
    from recommender.research.reproduction.formatting import NONE
    from recommender.research.reproduction.published_results import milliseconds_per_track

    took = milliseconds_per_track()
    columns = (
        Column("model", least=16),
        *(
            Column(name, number=True, drop=0 if figure in ALWAYS_SHOWN else 2)
            for figure, name in FIGURES.items()
        ),
        Column("seeds", number=True, drop=4),
        Column("ms/track", number=True, drop=1),
        Column("networks", least=12, drop=5),
    )
    rows = []
    for card in cards:
        marks = " (default)" * (card.name == DEFAULT_MODEL) + " *" * (not card.has_test_results)
        rows.append(
            (
                card.name + marks,
                *(_mean_and_deviation(card.measured, figure) for figure in FIGURES),
                len(card.measured.get("seeds", ())),
                f"{took[card.name]:.1f}" if card.name in took else NONE,
                card.architecture_summary,
            )
        )
    print_table(columns, rows)
    say(
        "accuracy: genres of GTZAN's test tracks; artist-disjoint: of those by artists who are not "
        "in the training set; precision@10: with artist filter, by plain cosine and reranked."
    )
    if not all(card.has_test_results for card in cards):
        say(
            "* trained on all tracks; its figures are those of the same model trained on the "
            "training set."
        )


def _print_families() -> None:
    from recommender.research.reproduction.published_results import (
        family_results,
        mean_and_deviation,
    )

    columns = (
        Column("family", least=14),
        Column("accuracy", number=True),
        Column("precision@10", number=True, drop=1),
        Column("parameters", number=True, drop=2),
        Column("seeds", number=True, drop=3),
        Column("section", least=12, drop=4),
        Column("summary", least=20, drop=5),
    )
    families = family_results()
    rows = [
        (
            family.name,
            mean_and_deviation(family.test_track, full_length=family.full_length),
            mean_and_deviation(family.test_precision, full_length=family.full_length),
            f"{family.parameters:,}",
            len(family.test_track),
            family.section,
            family.summary,
        )
        for family in families
    ]
    print_table(columns, rows)
    if not all(family.full_length for family in families):
        say("† trained for fewer epochs than the paper's.")


def _mean_and_deviation(results: Mapping[str, Any], name: str) -> str:
    from recommender.research.reproduction.formatting import NONE, percent

    figures = results.get(name)
    return percent(figures["mean"], figures["sd"]) if figures else NONE


def _card_facts(card: "ModelCard") -> Iterator[tuple[str, object]]:
    """A card, a line for each value."""
    yield "model", card.name
    yield "networks", card.architecture_summary
    for network in card.networks:
        yield "network", f"{network['architecture']}: {_settings(network['model_settings'])}"
    yield "genres", ", ".join(card.labels)
    yield "front end", _settings(card.front_end)
    if card.patches:
        yield "patches", _settings(card.patches)
    yield "windows", _settings(card.windowing)
    yield "similarity", _settings(card.similarity_calibration) or "not calibrated"
    for key, value in card.data.items():
        yield key.replace("_", " "), value
    for number, network in enumerate(card.training.get("networks", ()), start=1):
        yield f"training {number}", _settings(network)
    yield from _result_facts(card)
    digests = (card.weights_digest, card.head_digest, card.projection_digest)
    yield "digests", "weights {}, head {}, projection {}".format(*digests)
    yield "licence", card.licence
    for text in card.notes:
        yield "note", text


def _result_facts(card: "ModelCard") -> Iterator[tuple[str, object]]:
    measured = card.measured
    seeds = measured.get("seeds", ())
    over = f" over {counted(len(seeds), 'seed')}" if seeds else ""
    for key, value in measured.items():
        if isinstance(value, Mapping) and "mean" in value:
            deviation = "" if value.get("sd") is None else f" ± {value['sd']:.3f}"
            yield key.replace("_", " "), f"{value['mean']:.3f}{deviation}{over}"
    yield "command", card.results.get("command")


def _settings(values: Mapping[str, Any]) -> str:
    """Settings in one line; those of settings in brackets."""
    return ", ".join(
        f"{key.replace('_', ' ')} "
        + (f"({_settings(value)})" if isinstance(value, Mapping) else _plain(value))
        for key, value in values.items()
    )


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
