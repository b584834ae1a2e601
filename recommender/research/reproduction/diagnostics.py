"""Diagnostics of a single run: claims that need no second one."""

from collections.abc import Sequence

import numpy as np

from recommender.research.datasets import gtzan
from recommender.research.reproduction.aggregation import Results, RunResults
from recommender.research.reproduction.claims import Claim, Finding, Verdict, at_length, not_run
from recommender.research.reproduction.formatting import percent, points
from recommender.utils.arrays import Scores

OVERFITS = 0.15
"""Gap between training and validation accuracy from which a network overfits."""
ONE_GENRE = 0.95
"""Share of the clips from which a network predicts one genre only."""
LEANING = 0.05
"""Excess of predictions over occurrences from which a network leans to a genre."""
CONVERGED = 0.20
"""Validation accuracy, twice that of chance, that a converging network reaches at some epoch."""


def overfits(name: str, compare: str = "") -> Claim:
    """Training is ahead of validation by `OVERFITS` or more, at the selected or the last epoch."""

    def decide(results: Results) -> Finding:
        row = results[name]
        if not row.outcomes:
            return not_run([name])
        figures = _gap_text(row)
        if compare and results[compare].outcomes:
            figures += f"; compare {compare}: {_gap_text(results[compare])}"
        if _gap(row) >= OVERFITS:
            return Finding(Verdict.HOLDS, figures)  # fewer epochs can only have hidden it
        return at_length(Verdict.FAILS, figures, [row])

    return Claim(f"{name} overfits", decide)


def does_not_overfit(name: str) -> Claim:
    """The opposite of `overfits`."""

    def decide(results: Results) -> Finding:
        finding = overfits(name).decide(results)
        turned = {Verdict.HOLDS: Verdict.FAILS, Verdict.FAILS: Verdict.HOLDS}
        return Finding(turned.get(finding.verdict, finding.verdict), finding.figures)

    return Claim(f"{name} does not overfit", decide)


def predicts_one_genre(name: str) -> Claim:
    """With every seed, `ONE_GENRE` or more of the test clips get the same prediction."""

    def decide(results: Results) -> Finding:
        row = results[name]
        if not row.outcomes:
            return not_run([name])
        largest = [max(outcome.clips_predicted) for outcome in row.outcomes]
        genres = [gtzan.GENRES[int(np.argmax(o.clips_predicted))] for o in row.outcomes]
        texts = [f"{percent(s)} % {g}" for s, g in zip(largest, genres, strict=True)]
        verdict = Verdict.HOLDS if min(largest) >= ONE_GENRE else Verdict.FAILS
        return at_length(verdict, f"its most frequent prediction: {', '.join(texts)}", [row])

    return Claim(f"{name} predicts one genre only", decide)


def leans(name: str, genre: str) -> Claim:
    """With every seed, it is the genre predicted most above its frequency, by `LEANING`."""
    label = gtzan.GENRES.index(genre)

    def decide(results: Results) -> Finding:
        row = results[name]
        if not row.outcomes:
            return not_run([name])
        excess = [_excess(outcome.labels, outcome.clips_predicted) for outcome in row.outcomes]
        leaning = [e.argmax() == label and e[label] >= LEANING for e in excess]
        predicted = [o.clips_predicted[label] for o in row.outcomes]
        most = [f"{gtzan.GENRES[int(e.argmax())]} ({points(float(e.max()))})" for e in excess]
        figures = (
            f"{genre} is predicted for {', '.join(map(percent, predicted))} % of the clips and is "
            f"{percent(_frequency(row, label))} %; most above its frequency is {', '.join(most)}"
        )
        verdict = Verdict.FAILS if not any(leaning) else Verdict.OPEN
        return at_length(Verdict.HOLDS if all(leaning) else verdict, figures, [row])

    return Claim(f"{name} leans to {genre}", decide)


def does_not_converge(name: str) -> Claim:
    """No epoch's validation accuracy by track reaches `CONVERGED`, with any seed."""

    def decide(results: Results) -> Finding:
        row = results[name]
        if not row.outcomes:
            return not_run([name])
        highest = [max(e.valid_accuracy for e in o.history) for o in row.outcomes]
        figures = f"highest validation accuracy of an epoch: {', '.join(map(percent, highest))} %"
        if min(highest) >= CONVERGED:
            return Finding(Verdict.FAILS, figures)  # and so soon, where the run was cut short
        verdict = Verdict.HOLDS if max(highest) < CONVERGED else Verdict.OPEN
        return at_length(verdict, figures, [row])

    return Claim(f"{name} does not converge", decide)


def _gap(row: RunResults) -> float:
    return max(row.gap_selected(), row.gap_last())


def _gap_text(row: RunResults) -> str:
    last = [outcome.history[-1] for outcome in row.outcomes]
    train = percent(float(np.mean([e.train_accuracy for e in last])))
    valid = percent(float(np.mean([e.valid_accuracy for e in last])))
    return (
        f"training {percent(row.mean('train_clip'))} % against validation "
        f"{percent(row.mean('valid_clip'))} % ({points(row.gap_selected())}) as selected, "
        f"{train} % against {valid} % ({points(row.gap_last())}) at the last epoch"
    )


def _excess(labels: Sequence[int], predicted: Sequence[float]) -> Scores:
    counts = np.bincount(labels, minlength=len(predicted))
    return np.asarray(predicted) - counts / len(labels)


def _frequency(row: RunResults, label: int) -> float:
    return float(np.mean(np.equal(row.outcomes[0].labels, label)))
