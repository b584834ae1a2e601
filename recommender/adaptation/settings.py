"""Settings of an adaptation: what is tried, how it is tested, and what is convincing."""

from dataclasses import dataclass

from recommender.evaluation.metrics import DEFAULT_K


@dataclass(frozen=True)
class AdaptationSettings:
    """Settings of an adaptation.

    Attributes:
        k: length of the lists that are evaluated, at most.
        lists_per_fold: lists are at most this part of the smallest fold, or they would hold near
            and far tracks alike.
        folds: number of folds of whole artists.
        min_tracks: with fewer, a fold is too small to test anything.
        min_fold_tracks: with fewer in a fold, nearly all tracks are by the same few artists.
        min_genre_artists: artists of a genre that LDA can learn; a track without artist counts as
            one.
        min_genres: genres with that many artists, for LDA to be tried.
        min_artist_queries: tracks with another one by their artist, for artists to be a measure.
        shrinkages: of the covariance that whitens the vectors, above 0 to 1.
        genre_weights: of LDA in the mean squared length of a vector, in (0, 1).
        level: of significance, after Bonferroni's correction for the number of candidates.
        skewness_tolerance: a change in skewness that counts: hubness may not grow by more, whatever
            else is gained; and where nothing else is measured, it must shrink by more.
        harmless_skewness: hubness may grow up to this in any case: no few tracks fill the lists.
        min_common: where only hubness is measured, this share of the lists must stay.
    """

    k: int = DEFAULT_K
    lists_per_fold: int = 5
    folds: int = 4
    min_tracks: int = 100
    min_fold_tracks: int = 10
    min_genre_artists: int = 10
    min_genres: int = 2
    min_artist_queries: int = 100
    shrinkages: tuple[float, ...] = (0.3, 0.6)
    genre_weights: tuple[float, ...] = (0.2, 0.4)
    level: float = 0.05
    skewness_tolerance: float = 0.3
    harmless_skewness: float = 1.0
    min_common: float = 0.5


DEFAULT_SETTINGS = AdaptationSettings()
