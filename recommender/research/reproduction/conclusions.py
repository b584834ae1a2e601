"""The paper's conclusions as claims that the outcomes decide."""

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.research.reproduction.aggregation import Results
from recommender.research.reproduction.claims import (
    MARGIN,
    Claim,
    any_reaches,
    beats,
    best,
    no_gain,
    reaches,
    same,
    together,
)
from recommender.research.reproduction.diagnostics import (
    CONVERGED,
    LEANING,
    ONE_GENRE,
    OVERFITS,
    does_not_converge,
    does_not_overfit,
    leans,
    overfits,
    predicts_one_genre,
)
from recommender.research.reproduction.experiments import run_named
from recommender.research.reproduction.paired_tests import LEVEL
from recommender.research.reproduction.splits import LEAKY

OTHER_FAMILIES = ("transformer", "conv1d-2-blocks", "conv2d", "conv2d-encoder", "resnet50")
"""Runs that represent the families that the paper does not call best."""
HOPED_FOR = 0.80
"""The paper hopes for 80 to 90 %."""


@dataclass(frozen=True)
class Conclusion:
    """A conclusion of the paper, and the claims it consists of."""

    statement: str
    claims: tuple[Claim, ...]


def _paper(*runs: str) -> str:
    """The paper's figures of some runs, for a statement."""
    figures = ((name, run_named(name).paper.valid) for name in runs)
    return "the paper: " + ", ".join(f"{n} {v} %" for n, v in figures if v is not None)


CONCLUSIONS: tuple[Conclusion, ...] = (
    Conclusion(
        f"The LSTM improves with more units ({_paper('lstm-10', 'lstm-32', 'lstm-128')}).",
        (beats("lstm-32", "lstm-10"), beats("lstm-128", "lstm-32")),
    ),
    Conclusion(
        "The LSTM with 128 units and the 1D convolutional encoder are the best "
        f"({_paper('lstm-128', 'conv1d-encoder')}).",
        (best(("lstm-128", "conv1d-encoder"), OTHER_FAMILIES),),
    ),
    Conclusion(
        f"The Transformer encoder overfits ({_paper('transformer')}).", (overfits("transformer"),)
    ),
    Conclusion(
        "Two blocks of the 1D CNN beat three, and doubling does not help "
        f"({_paper('conv1d-2-blocks', 'conv1d-3-blocks')}).",
        (
            beats("conv1d-2-blocks", "conv1d-3-blocks"),
            no_gain("conv1d-2-blocks-doubled", "conv1d-2-blocks"),
        ),
    ),
    Conclusion(
        "The 2D CNN does not overfit; doubling it does not help and overfits; halving it costs "
        f"10 points ({_paper('conv2d', 'conv2d-doubled', 'conv2d-halved')}).",
        (
            does_not_overfit("conv2d"),
            no_gain("conv2d-doubled", "conv2d"),
            overfits("conv2d-doubled"),
            beats("conv2d", "conv2d-halved"),
        ),
    ),
    Conclusion(
        f"The 2D convolutional encoder overfits ({_paper('conv2d-encoder')}, training 99 %).",
        (overfits("conv2d-encoder"),),
    ),
    Conclusion(
        "Doubling or halving the 1D convolutional encoder changes nothing "
        f"({_paper('conv1d-encoder', 'conv1d-encoder-doubled', 'conv1d-encoder-halved')}); with "
        "more blocks it overfits (training 100 %).",
        (
            same("conv1d-encoder-doubled", "conv1d-encoder"),
            same("conv1d-encoder-halved", "conv1d-encoder"),
            overfits("conv1d-encoder-more-blocks", compare="conv1d-encoder"),
        ),
    ),
    Conclusion(
        "The regularised 1D CNN predicts one genre only.",
        (predicts_one_genre("conv1d-2-blocks-regularised"),),
    ),
    Conclusion(
        f"ResNet50 reaches 50 % in {run_named('resnet50').epochs} epochs, ResNet101 does not "
        "converge, and ResNet50V2 is the best of the three.",
        (
            reaches("resnet50", 0.50),
            does_not_converge("resnet101"),
            beats("resnet50v2", "resnet50"),
            beats("resnet50v2", "resnet101"),
        ),
    ),
    Conclusion(
        "1D CNNs lean to disco, ResNets to jazz.",
        (leans("conv1d-2-blocks", "disco"), leans("resnet50", "jazz")),
    ),
    Conclusion("80 to 90 % is within reach, the paper hopes.", (any_reaches(HOPED_FOR),)),
)

DEFINITIONS = f"""\
Every verdict is computed from the outcomes.

- "Beats": more of the test tracks classified correctly (p < {LEVEL:.2f}, and so the 95 % interval
  of the difference excludes zero). Where several pairs make one claim, p is corrected by Holm's
  method.
- "No gain", "as good as": the 95 % interval of the difference stays below, or within,
  {100 * MARGIN:.0f} points.
- "Overfits": training accuracy is {100 * OVERFITS:.0f} points or more above validation accuracy, of
  the selected epoch (both by clip) or at the last epoch (training by clip, in training mode;
  validation by track).
- "Predicts one genre only": {100 * ONE_GENRE:.0f} % or more of the test clips get one prediction.
- "Leans to a genre": none is predicted more often than it occurs among the test clips, by
  {100 * LEANING:.0f} points or more.
- "Does not converge": no epoch's validation accuracy reaches {100 * CONVERGED:.0f} %, twice chance.
- "Reaches": the 95 % interval of the test accuracy lies above.
- "Inconclusive": a run is missing or was not run at full length, or the difference is not
  significant.

The interval and p of a difference are of one standard error, over the test tracks and the seeds;
the deviation of seeds is taken from the fault-filtered runs with several, at full length, for all
others, too. The other intervals are over the tracks alone. Tracks of one artist count as
independent, which makes all rather too narrow. The paper's figures are validation accuracies; those
tested here are of the test split."""


def conclusions_text(by_protocol: Mapping[str, Results]) -> str:
    """The conclusions as a Markdown list, each with its verdict and figures under each protocol.

    Args:
        by_protocol: those with outcomes; the first comes first.

    Raises:
        RecsysError: SciPy is not installed.
    """
    lines = []
    for conclusion in CONCLUSIONS:
        lines.append(f"- {conclusion.statement}")
        for protocol, results in by_protocol.items():
            findings = [claim.decide(results) for claim in conclusion.claims]
            verdict = together(finding.verdict for finding in findings)
            name = f"`{protocol}` (LEAKY)" if protocol in LEAKY else f"`{protocol}`"
            lines.append(f"  - {name}: **{verdict}**")
            for claim, finding in zip(conclusion.claims, findings, strict=True):
                # The only claim's verdict is the conclusion's.
                own = f" – {finding.verdict}" if len(findings) > 1 else ""
                lines.append(f"    - {claim.statement}{own}: {finding.figures}")
    return "\n".join(lines)
