"""The tables of the study's report."""

from collections.abc import Callable, Mapping, Sequence

from recommender.research.datasets import gtzan
from recommender.research.reproduction.aggregation import Results, RunResults, results_of
from recommender.research.reproduction.claims import difference_text
from recommender.research.reproduction.experiments import RUNS
from recommender.research.reproduction.formatting import (
    NONE,
    listed,
    p_value,
    percent,
    points,
    rate,
    span,
    table,
)
from recommender.research.reproduction.latency import Timings
from recommender.research.reproduction.outcomes import Outcome
from recommender.research.reproduction.paired_tests import (
    LEVEL,
    Difference,
    Pair,
    family_pairs,
)
from recommender.research.reproduction.splits import LEAKY

NOT_RUN = "not run"
CUT_SHORT = "not run at full length"

Column = Callable[[RunResults], str]
"""The cell of a run."""


def summary_table(outcomes: Sequence[Outcome]) -> str:
    """Every declared run on a line, the main figures first and the leaky one last.

    Markdown, without a line break at the end.
    """
    filtered = results_of(outcomes, "filtered")
    leaky = results_of(outcomes, "paper")
    headings = (
        "run", ">paper %", f">filtered: test ({_tracks(filtered)}) %",
        f">filtered: artist-disjoint ({_disjoint()}) %", ">filtered: precision@10",
        ">LEAKY: paper's split, validation %", ">parameters", ">epochs",
    )  # fmt: skip
    rows = [
        (
            name,
            _paper(row),
            _accuracy(row, "test_track", NOT_RUN),
            _accuracy(row, "disjoint_track"),
            _precision(row),
            _accuracy(leaky[name], "valid_track"),
            _parameters(row if row.outcomes else leaky[name]),
            _epochs_briefly(row) + _dagger(row),
        )
        for name, row in filtered.items()
    ]
    return table(headings, rows) + _legend([*filtered.values(), *leaky.values()])


def filtered_table(results: Results) -> str:
    """All figures of each declared run under the fault-filtered split."""
    columns: dict[str, Column] = {
        f">test ({_tracks(results)}) %": lambda row: _accuracy(row, "test_track", NOT_RUN),
        ">seeds": _seeds,
        f">artist-disjoint ({_disjoint()}) %": lambda row: _accuracy(row, "disjoint_track"),
        ">test by clip %": lambda row: _accuracy(row, "test_clip"),
        ">validation %": lambda row: _accuracy(row, "valid_track"),
    }
    return _run_table(results, columns)


def protocol_table(results: Results) -> str:
    """The same under another split, with the figure that the paper gives first.

    Runs of a leaky split are marked in every row.
    """
    leaky = any(row.protocol in LEAKY for row in results.values())
    test = f">test ({_tracks(results)} {'clips' if leaky else 'tracks'}) %"
    columns: dict[str, Column] = {
        ">validation %": lambda row: _accuracy(row, "valid_track", NOT_RUN),
        test: lambda row: _accuracy(row, "test_track"),
        ">seeds": _seeds,
        ">test by clip %": lambda row: _accuracy(row, "test_clip"),
    }
    return _run_table(results, columns, " (LEAKY)" if leaky else "")


def _run_table(results: Results, columns: Mapping[str, Column], mark: str = "") -> str:
    """A line a run, its name followed by `mark`, with `columns` between those of every table."""
    every: dict[str, Column] = {
        "run": lambda row: row.run.name + mark,
        ">paper %": _paper,
        **columns,
        ">training by clip %": lambda row: _accuracy(row, "train_clip"),
        ">parameters": _parameters,
        "seconds an epoch": _seconds,
        "epochs": _epochs,
        ">precision@10": _precision,
    }
    lines = [[cell(row) for cell in every.values()] for row in results.values()]
    return table(list(every), lines) + _legend([*results.values()])


def pairs_section(results: Results) -> str:
    """Paired tests between the families' main runs, and how many differ, in words."""
    pairs = family_pairs(results)
    families = list(dict.fromkeys(run.family for run in RUNS))
    selected = {row.run.family: row for pair in pairs for row in (pair.first, pair.second)}
    if not pairs:
        return "Fewer than two families were run under the fault-filtered split."
    words = [
        "Each family's main run (another of its runs where that is missing) against each other's "
        "on the same test tracks: difference of the accuracies (each track averaged over the "
        "seeds) and of precision@10, first less second, with the 95 % interval and p over tracks "
        "and seeds together; then p by Holm's correction over all pairs.",
        _differing(pairs),
    ]
    absent = [family for family in families if family not in selected]
    if absent:
        words.append(f"Not run: {listed(absent)}.")
    capped = [row.run.name for row in selected.values() if row.capped]
    if capped:
        words.append(f"Not run at full length, so that little follows: {listed(capped)}.")
    headings = ("first", "second", "accuracy", "by Holm", "precision@10", "by Holm")
    text = " ".join(words) + "\n\n" + table(headings, map(_pair_cells, pairs))
    return text + _legend([*selected.values()])


def timing_section(timings: Timings | None) -> str:
    """Latency by clip of each declared run, and by track of models, or how to measure it."""
    if timings is None:
        return "Not measured: `recsys study time` does."
    measured = {run.run: run for run in timings.runs}
    rows = [
        (run.name, f"{own.milliseconds_per_clip:.2f}", f"{own.parameters:,}")
        if (own := measured.get(run.name))
        else (run.name, "not measured", NONE)
        for run in RUNS
    ]
    parts = [
        f"`{timings.command}` on {timings.device}, threads: {timings.threads}. Median of "
        f"{timings.repetitions} batches of {timings.clips} clips of {timings.frames} columns and "
        f"{timings.bands} bands; the network alone, with random weights.",
        table(("run", ">ms a clip", ">parameters"), rows),
    ]
    if timings.models:
        parts += [
            "The shipped models on a whole track, from its spectrograms on: all their networks, "
            "descriptors and the head.",
            table(
                ("model", ">windows", ">ms a track"),
                [
                    (own.model, str(own.windows), f"{own.milliseconds_per_track:.1f}")
                    for own in timings.models
                ],
            ),
        ]
    return "\n\n".join(parts)


def leak_table(by_protocol: Mapping[str, Results]) -> str:
    """Test accuracy by clip of each run under every split, of those that ran under the leaky one.

    Args:
        by_protocol: results of every protocol.
    """
    leaky, filtered = by_protocol["paper"], by_protocol["filtered"]
    stratified = by_protocol["stratified"]
    names = [name for name, row in leaky.items() if row.outcomes and filtered[name].outcomes]
    if not names:
        return "Unknown: no run has outcomes under both the paper's split and the filtered one."
    rows = []
    for name in names:
        own = [split[name] for split in (filtered, stratified, leaky)]
        cells = [_accuracy(row, "test_clip") for row in own]
        rows.append((name, *cells, _less(own[2], own[0]), _less(own[2], own[1])))
    text = (
        "Test accuracy by clip of the same run under each split. The paper's split less the "
        "fault-filtered one is what repeated recordings, parts of one recording in several splits, "
        "and a somewhat larger training set are worth; less the stratified one, which is as large, "
        "it is the leak of clips alone.\n\n"
    )
    headings = (
        "run", ">filtered %", ">stratified %", ">LEAKY: paper's %", ">LEAKY less filtered",
        ">LEAKY less stratified",
    )  # fmt: skip
    shown = [split[name] for name in names for split in by_protocol.values()]
    return text + table(headings, rows) + _legend(shown)


def _differing(pairs: Sequence[Pair]) -> str:
    accuracy = [(pair.accuracy, pair.accuracy_holm) for pair in pairs]
    precision = [
        (pair.precision, pair.precision_holm)
        for pair in pairs
        if pair.precision is not None and pair.precision_holm is not None
    ]
    return (
        f"At {LEVEL:.2f} after the correction, {_count(accuracy)} in accuracy and "
        f"{_count(precision)} in precision@10; the others are not significant."
    )


def _count(tests: Sequence[tuple[Difference, float]]) -> str:
    """``3 of 21 pairs differ``."""
    return f"{sum(p < LEVEL for _, p in tests)} of {len(tests)} pairs differ"


def _pair_cells(pair: Pair) -> tuple[str, ...]:
    dagger = _dagger(pair.first, pair.second)
    precision = NONE if pair.precision is None else difference_text(pair.precision) + dagger
    corrected = NONE if pair.precision_holm is None else p_value(pair.precision_holm)
    return (
        pair.first.run.name + _dagger(pair.first),
        pair.second.run.name + _dagger(pair.second),
        difference_text(pair.accuracy) + dagger,
        p_value(pair.accuracy_holm),
        precision,
        corrected,
    )


def _less(first: RunResults, second: RunResults) -> str:
    ours, theirs = first.mean("test_clip"), second.mean("test_clip")
    if ours is None or theirs is None:
        return NONE
    return points(ours - theirs) + _dagger(first, second)


def _tracks(results: Results) -> str:
    sizes = [len(o.labels) for row in results.values() for o in row.outcomes]
    return str(sizes[0]) if sizes else NONE


def _disjoint() -> int:
    return len(gtzan.split_ids("filtered", "test_artist_disjoint"))


def _paper(row: RunResults) -> str:
    return NONE if row.run.paper.valid is None else str(row.run.paper.valid)


def _accuracy(row: RunResults, figure: str, absent: str = NONE) -> str:
    if not row.outcomes:
        return absent
    text = percent(row.mean(figure), row.deviation(figure))
    return text if text == NONE else text + _dagger(row)


def _precision(row: RunResults) -> str:
    text = rate(row.mean("test_precision"), row.deviation("test_precision"))
    return text if text == NONE else text + _dagger(row)


def _seeds(row: RunResults) -> str:
    return str(len(row.outcomes) or NONE)


def _parameters(row: RunResults) -> str:
    return f"{row.outcomes[0].parameters:,}" if row.outcomes else NONE


def _dagger(*rows: RunResults) -> str:
    """The mark of every figure that rests on a run that was not run at full length."""
    return " †" if any(row.capped for row in rows) else ""


def _legend(rows: Sequence[RunResults]) -> str:
    return f"\n\n† {CUT_SHORT}" if _dagger(*rows) else ""


def _epochs_briefly(row: RunResults) -> str:
    return span([outcome.epochs for outcome in row.outcomes]) if row.outcomes else NONE


def _epochs(row: RunResults) -> str:
    """``18, best 8, of 400``, or that the run was capped."""
    if not row.outcomes:
        return NONE
    best = span([outcome.best_epoch for outcome in row.outcomes])
    allowed = span([outcome.epochs_allowed for outcome in row.outcomes])
    text = f"{_epochs_briefly(row)}, best {best}, of {allowed}"
    return f"{text} (declared {row.run.epochs}: {CUT_SHORT})" if row.capped else text


def _seconds(row: RunResults) -> str:
    """Mean over the seeds on each device."""
    devices = dict.fromkeys(outcome.device for outcome in row.outcomes)
    texts = []
    for device in devices:
        seconds = [o.seconds_per_epoch for o in row.outcomes if o.device == device]
        texts.append(f"{sum(seconds) / len(seconds):.1f} ({device})")
    return "; ".join(texts) or NONE
