"""From a track to the tracks that sound like it.

`SimilarityService` combines catalogue, index and projection. A sound outside the
catalogue is analysed by another process.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.projector import CatalogProjector, catalog_projector, other_weights
from recommender.catalog.records import CatalogState, Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError
from recommender.recommendation.duplicate_groups import duplicate_groups
from recommender.recommendation.explanation import Explainer, Explanation
from recommender.recommendation.farthest import farthest_track
from recommender.recommendation.filters import Filters
from recommender.recommendation.group_terms import GroupTerms
from recommender.recommendation.list_maker import ListMaker
from recommender.recommendation.mix_request import MixRequest, Rules
from recommender.recommendation.mix_result import (
    DuplicateGroup,
    Mix,
    SimilarAlbum,
    SimilarArtist,
    SimilarGroupList,
)
from recommender.recommendation.mix_seeds import unit_of
from recommender.recommendation.result_list import Hit, Neighbour, ResultList, fill_lists
from recommender.recommendation.seeds import Analyser, Query, SearchSeed, Seed, SeedReader
from recommender.recommendation.similar_groups import SimilarGroups
from recommender.recommendation.snapshot import Snapshot
from recommender.recommendation.snapshot_updates import PACE, SnapshotUpdates, UpdatePace
from recommender.recommendation.track_rules import Candidates
from recommender.recommendation.weighted_lists import checked_weights, fill_weighted
from recommender.search.catalog_index import CatalogIndex, Projector
from recommender.search.faiss_backend import Device
from recommender.search.index import TrackIndex
from recommender.search.reranking import (
    DEFAULT_SETTINGS,
    RankingMethod,
    RerankingSettings,
    effective_method,
)
from recommender.search.score_space import ScoreSpace
from recommender.search.track_columns import TrackColumnSource
from recommender.utils.arguments import require_several, require_type
from recommender.utils.arrays import IntArray, Scores

if TYPE_CHECKING:
    from recommender.ingestion.worker_limits import FileLimits


@dataclass(frozen=True)
class Recommendation:
    """A list of neighbours and what it was made with.

    Attributes:
        seed: what the neighbours are neighbours of.
        neighbours: best first.
        ranking: what orders them; ``cosine`` in catalogues too small to be reranked.
        space: the embedding space of the similarities.
        calibration: what similarities in that space mean; None where it was not measured.
        hint: why a genre filter leaves nothing, with the nearest spelling; else None.
        lacking: musical descriptor that was filtered by → number of tracks of the catalogue that
            lack it, and so were left out.
        weights: group of features → what it was multiplied by, where that is not 1.
    """

    seed: Seed
    neighbours: list[Neighbour]
    ranking: RankingMethod
    space: SpaceId
    calibration: SimilarityCalibration | None
    hint: str | None = None
    lacking: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


class SimilarityService:
    """Answers "what sounds like this?" over one catalogue.

    The index is read from its file, or built again when the catalogue has changed since. A query
    reads from the database the catalogue's revision, its seed, and the tracks it returns.

    Thread-safe: any number of threads may query one service at once, from the first query on. A
    model is loaded once, and the first index is read or built once, by the first thread that needs
    it while the others wait. Each query is answered from one snapshot of the catalogue, whole.

    When the catalogue changes, the next snapshot is made in another thread, at most one at a time,
    and the one before answers until it is there: in a small catalogue at once, in a large one some
    seconds later. Tracks that are gone meanwhile are never recommended.

    Attributes:
        catalog: closed together with the service.
        projector: projects activations into the space of the embeddings.
        similarity_calibration: what similarities mean; None where it was not measured.
        catalog_index: reads, builds and saves the index.
    """

    def __init__(
        self,
        catalog: Catalog,
        projector: Projector,
        load_analyser: Callable[[], Analyser],
        device: Device = "auto",
        duplicate_detector: DuplicateDetector | None = None,
        similarity_calibration: SimilarityCalibration | None = None,
        reranking: RerankingSettings = DEFAULT_SETTINGS,
        pace: UpdatePace = PACE,
    ) -> None:
        """Serve `catalog` in the space of `projector`; see `open` for the usual way.

        Args:
            catalog: closed together with the service.
            projector: projects the catalogue's activations.
            load_analyser: called once, when the first sound outside the catalogue is queried.
            device: where FAISS searches.
            duplicate_detector: decides which tracks are duplicates.
            similarity_calibration: what similarities in the projector's space mean, where known.
            reranking: settings that the index is built with.
            pace: how often the index follows a catalogue that changes.
        """
        self.catalog = catalog
        self.projector = projector
        self.similarity_calibration = similarity_calibration
        self._detector = duplicate_detector or DuplicateDetector()
        self._seeds = SeedReader(catalog, projector, self._detector, load_analyser)
        self._lists = ListMaker(catalog, self._seeds, self._detector, similarity_calibration)
        self._similar_groups: SimilarGroups | None = None
        self.catalog_index = CatalogIndex(
            catalog, projector, TrackColumnSource(catalog, self._detector), device, reranking
        )
        self._snapshots = SnapshotUpdates(
            catalog.state, self._make_snapshot, self._tidied, self._sound, pace
        )

    @classmethod
    def open(
        cls,
        url: "str | os.PathLike[str] | None" = None,
        device: Device = "auto",
        limits: "FileLimits | None" = None,
        pace: UpdatePace = PACE,
    ) -> "SimilarityService":
        """Serve a catalogue with the model and the analysis settings it was last ingested with.

        The projection is the one that `catalog.projector.catalog_projector` finds now; one adapted
        later is served by a service that is opened then.

        Args:
            url: database URL or path of a SQLite file; None for ``$RECSYS_DB`` or the default.
            device: ``auto`` (a GPU when FAISS sees one), ``cpu`` or ``cuda``.
            limits: what opening one sound outside the catalogue may cost; such sounds are opened
                in another process, so that none can harm this one.
            pace: how often the index follows a catalogue that changes.

        Raises:
            CatalogError: the catalogue is empty or cannot be opened.
            SpaceMismatch: it was analysed with other weights than the installed ones, before
                catalogues kept their projection.
            WeightsError: the weights are missing or damaged.
            TypeError: `url` is neither text nor a path.
        """
        if not isinstance(url, str | os.PathLike | None):
            raise TypeError(
                "a catalogue is named by a database URL (str) or the path of a SQLite file (str or "
                f"os.PathLike), not {type(url).__name__}."
            )
        catalog = Catalog.open(None if url is None else os.fspath(url), create=False)
        try:
            projector = catalog_projector(catalog)
        except Exception:
            catalog.close()
            raise
        return cls(
            catalog,
            projector,
            partial(_load_analyser, catalog, projector, limits),
            device,
            projector.duplicate_detector,
            projector.similarity_calibration,
            pace=pace,
        )

    def close(self) -> None:
        """Close the catalogue, once no index is being built."""
        self._snapshots.close()
        self._seeds.close()
        self.catalog.close()

    def __enter__(self) -> "SimilarityService":
        """The service itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the catalogue."""
        self.close()

    def similar(
        self,
        query: Query,
        k: int = 10,
        filters: Filters | None = None,
        ranking: RankingMethod = "reranked",
        *,
        weights: Mapping[str, float] | None = None,
        why: bool = False,
    ) -> list[Neighbour]:
        """The neighbours of `recommend` alone; arguments and errors are the same."""
        return self.recommend(query, k, filters, ranking, weights=weights, why=why).neighbours

    def similar_many(
        self,
        queries: Iterable[Query],
        k: int = 10,
        filters: Filters | None = None,
        ranking: RankingMethod = "reranked",
    ) -> list[list[Neighbour]]:
        """One list for each query, as `similar` gives it, searched as one batch.

        Raises what `recommend` raises for any of the queries, and `TypeError` for a single one.
        """
        require_several(queries, "queries")
        found = self._recommend(list(queries), k, filters, ranking)
        return [one.neighbours for one in found]

    def recommend(
        self,
        query: Query,
        k: int = 10,
        filters: Filters | None = None,
        ranking: RankingMethod = "reranked",
        *,
        weights: Mapping[str, float] | None = None,
        why: bool = False,
    ) -> Recommendation:
        """The k tracks most like `query` that pass `filters`, best first.

        Fewer than k come back only when the whole catalogue holds no more. Never the seed itself,
        nor a track whose file is missing.

        Args:
            query: a track id; a path, in the catalogue or not; words that match one title
                (duplicates count as one match); a binary file object with a sound; or
                an `Embedding`.
            k: at least 1.
            filters: None for the defaults of `Filters`.
            ranking: ``reranked`` (query expansion and hubness reduction over the whole catalogue,
                see `search.reranking`), or ``cosine``, by plain cosine similarity.
            weights: group of features (`embedding.input_groups`) → what it is multiplied by, 1
                where it is not named: twice the rhythm, half the timbre. Similarities stay plain
                cosines; the order is that of `weighted_lists`.
            why: fill in `Neighbour.why`.

        Raises:
            TrackNotFound, AmbiguousTrack: what to do is in the message.
            SpaceMismatch: the query lives in another embedding space.
            AudioError: the sound outside the catalogue cannot be analysed; the subclass says why.
            CatalogError: the catalogue is empty.
            UsageError: k, the filters, the ranking or the weights are out of range; or weights or
                reasons are asked for of an embedding, or of vectors without known groups.
            TypeError: the query is none of these types, or another argument is of a wrong one.
        """
        terms = self._terms() if weights or why else None
        checked = None if terms is None else checked_weights(weights or {}, terms.grouped.groups)
        given = None if terms is None else _Groups(terms, checked, why)
        return self._recommend([query], k, filters, ranking, given)[0]

    def _terms(self) -> GroupTerms:
        grouped = getattr(self.projector, "grouped", None)
        if grouped is None:
            raise UsageError("the vectors of this model have no known groups of features.")
        return GroupTerms(self.catalog, self.catalog_index.space.unprojected, grouped)

    def mix(self, request: MixRequest, today: date | None = None) -> Mix:
        """A list as `request` describes it.

        Args:
            request: what kind of list, its seeds, rules and length.
            today: for the rule about Christmas music; None for the day it is.

        Raises:
            UsageError: a seed that is both liked and disliked, or rules that leave no track; the
                message names the rule.
            TrackNotFound: no seed is known. Where some are, the others are named in `Mix.notes`.
            RecsysError: what else `recommend` raises for a query, where it is the only seed.
        """
        require_type(request, MixRequest, "request", "a MixRequest")
        snapshot = self._snapshots.current()
        return self._lists.make(request, snapshot, today or date.today())

    def admitted(self, rules: Rules | None = None, today: date | None = None) -> IntArray:
        """Ids of the tracks that may be in a list by the rules that look at one track alone.

        Args:
            rules: None for the defaults.
            today: as of `mix`.

        Returns:
            np.ndarray [shape=(n,)], int64.

        Raises `UsageError` for rules that leave no track, and what `index` raises.
        """
        snapshot = self._snapshots.current()
        found = self._lists.admitted(rules or Rules(), snapshot, today or date.today())
        return snapshot.index.ids[found.allowed]

    def similar_artists(
        self,
        artist: str,
        k: int = 10,
        near: "Query | None" = None,
        rules: Rules | None = None,
        today: date | None = None,
    ) -> SimilarGroupList[SimilarArtist]:
        """The k artists that sound most like `artist`, best first.

        Args:
            artist: compared without case and accents.
            k: at least 1.
            near: what the entry points are to be near to; None for the mean of the artist.
            rules: those that look at one track alone say what may be begun with, and an artist
                without any such track is left out; None for no rules.
            today: as of `mix`.

        Raises:
            TrackNotFound: no track is by that artist; the message names the nearest spellings.
            RecsysError: what `recommend` raises for `near`.
        """
        require_type(artist, str, "artist", "a str")
        groups, snapshot = self._groups(k)
        seed = None if near is None else self._seeds.read(near, snapshot)
        return groups.artists(artist, k, seed, self._may_begin(snapshot, rules, today))

    def similar_albums(
        self,
        query: Query,
        k: int = 10,
        rules: Rules | None = None,
        today: date | None = None,
    ) -> SimilarGroupList[SimilarAlbum]:
        """The k albums that sound most like a track, or like its album where it has one.

        `rules` and `today` are as of `similar_artists`.

        Raises what `recommend` raises for `query`, and `UsageError` where no track has an album.
        """
        groups, snapshot = self._groups(k)
        seed = self._seeds.read(query, snapshot)
        return groups.albums(seed, k, self._may_begin(snapshot, rules, today))

    def duplicates(self, minimum: float | None = None) -> list[DuplicateGroup]:
        """Groups of tracks that are copies of one recording, by the path of their first.

        Args:
            minimum: least similarity of two copies (cosine of what is compared, see
                `embedding.duplicates`); None for the threshold of the model.

        Raises `UsageError` for a minimum below that threshold, or above 1.
        """
        return duplicate_groups(self.catalog, self._snapshots.current(), self._detector, minimum)

    def farthest(self, query: Query) -> Neighbour:
        """The track that is least like `query` of all, by plain cosine; its rank is 1.

        Raises what `recommend` raises for `query`, and `NothingAnalysed` where there is no other.
        """
        snapshot = self._snapshots.current()
        seed = self._seeds.read(query, snapshot)
        track, similarity = farthest_track(self.catalog, snapshot, seed)
        calibration = self.similarity_calibration
        close = None if calibration is None else calibration.is_close(similarity)
        return Neighbour(track, similarity, 1, similarity, close)

    def similarities(self, query: Query, track_ids: Sequence[int]) -> dict[int, float]:
        """The cosine of each of the tracks with `query`, of those that can be recommended.

        Raises what `recommend` raises for `query`.
        """
        snapshot = self._snapshots.current()
        seed = self._seeds.read(query, snapshot)
        space = ScoreSpace(snapshot.index)
        rows = snapshot.rows(track_ids)
        cosines = np.clip(space.units(rows) @ unit_of(seed, space), -1, 1)
        return dict(zip(snapshot.index.ids[rows].tolist(), cosines.tolist(), strict=True))

    def state(self) -> CatalogState:
        """The state of the catalogue that queries are answered from at present.

        Raises what `index` raises.
        """
        return self._snapshots.current().state

    def index(self) -> TrackIndex:
        """The index of the catalogue as it is now: in memory, read from its file, or built.

        Raises `CatalogError` when there is nothing to index, and `SpaceMismatch` when the
        catalogue was analysed in another space meanwhile.
        """
        return self._snapshots.newest().index

    def current_index(self) -> TrackIndex:
        """The index that queries are answered from at present; raises what `index` raises."""
        return self._snapshots.current().index

    def _groups(self, k: int) -> tuple[SimilarGroups, Snapshot]:
        require_type(k, (int, np.integer), "k", "an int")
        if k < 1:
            raise UsageError(f"the length of the list must be at least 1, not {k}.")
        snapshot = self._snapshots.current()
        groups = self._similar_groups
        if groups is None or not groups.is_of(snapshot):
            space, calibration = ScoreSpace(snapshot.index), self.similarity_calibration
            groups = SimilarGroups(self.catalog, snapshot, space, calibration)
            self._similar_groups = groups
        return groups, snapshot

    def _may_begin(self, snapshot: Snapshot, rules: Rules | None, today: date | None) -> Candidates:
        if rules is None:
            return Candidates(snapshot.present(), {})
        require_type(rules, Rules, "rules", "Rules or None")
        return self._lists.admitted(rules, snapshot, today or date.today(), any_needed=False)

    def _make_snapshot(self) -> Snapshot:
        return Snapshot(self.catalog, self.catalog_index.update())

    def _tidied(self, snapshot: Snapshot) -> Snapshot:
        index = self.catalog_index.tidied(snapshot.index)
        return snapshot if index is snapshot.index else Snapshot(self.catalog, index)

    def _sound(self, snapshot: Snapshot) -> Snapshot:
        return snapshot if self.catalog_index.is_sound(snapshot.index) else self._make_snapshot()

    def _recommend(
        self,
        queries: Sequence[Query],
        k: int,
        filters: Filters | None,
        ranking: RankingMethod,
        groups: "_Groups | None" = None,
    ) -> list[Recommendation]:
        filters = Filters() if filters is None else filters
        require_type(k, (int, np.integer), "k", "an int")
        require_type(filters, Filters, "filters", "a recommender.Filters or None")
        snapshot = self._snapshots.current()
        seeds = [self._seeds.read(query, snapshot) for query in queries]
        if filters.sound.is_relative:
            described = self._seeds.descriptors(seeds)
            if len(seeds) > 1:
                return [
                    self._of_seeds(
                        [seed], k, filters.relative_to([one]), snapshot, ranking, groups
                    )[0]
                    for seed, one in zip(seeds, described, strict=True)
                ]
            filters = filters.relative_to(described)
        return self._of_seeds(seeds, k, filters, snapshot, ranking, groups)

    def _of_seeds(
        self,
        seeds: Sequence[SearchSeed],
        k: int,
        filters: Filters,
        snapshot: Snapshot,
        ranking: RankingMethod,
        groups: "_Groups | None",
    ) -> list[Recommendation]:
        """The recommendations for seeds, by filters that are not relative to them."""
        hits, tracks, snapshot = self._found(seeds, k, filters, snapshot, ranking, groups)
        method = effective_method(ranking, len(snapshot.index), snapshot.index.settings)
        hint = None if all(hits) else snapshot.genre_hint(filters)
        lacking = snapshot.lacking(filters)
        return [
            Recommendation(
                seed.seed,
                self._neighbours(found, tracks, self._reasons(seed, found, snapshot, groups)),
                method,
                self.catalog_index.space,
                self.similarity_calibration,
                None if found else hint,
                lacking,
                {} if groups is None else groups.named_weights,
            )
            for seed, found in zip(seeds, hits, strict=True)
        ]

    def _found(
        self,
        seeds: Sequence[SearchSeed],
        k: int,
        filters: Filters,
        snapshot: Snapshot,
        ranking: RankingMethod,
        groups: "_Groups | None",
    ) -> tuple[list[list[Hit]], dict[int, Track], Snapshot]:
        """The hits for each seed, their tracks by id, and the snapshot they are from.

        Tracks that have left the catalogue, or have lost their file, since the snapshot was made
        are left out of it.
        """
        while True:
            allowed = snapshot.allowed(filters)
            lists = [ResultList(seed, k, filters, snapshot, self._detector) for seed in seeds]
            if groups is None or groups.weights is None:
                fill_lists(lists, seeds, k, snapshot.index, ranking, allowed)
            else:
                terms, weights = groups.terms, groups.weights
                fill_weighted(lists, seeds, snapshot.index, ranking, allowed, terms, weights)
            ids = {hit.track_id for found in lists for hit in found.hits}
            tracks = self.catalog.present(ids)
            gone = ids - tracks.keys()
            if not gone:
                return [found.hits for found in lists], tracks, snapshot
            snapshot = snapshot.without(gone)

    def _reasons(
        self,
        seed: SearchSeed,
        hits: Sequence[Hit],
        snapshot: Snapshot,
        groups: "_Groups | None",
    ) -> Sequence[Explanation | None]:
        """Why each track is in a list; None for each where nobody asked."""
        if groups is None or not groups.why:
            return [None] * len(hits)
        ids = [hit.track_id for hit in hits]
        stored = self.catalog.musical_descriptors(ids)
        described = [*self._seeds.descriptors([seed]), *map(stored.get, ids)]
        return Explainer(snapshot, groups.terms).explain(
            seed,
            np.array(ids, dtype=np.int64),
            np.array([hit.score for hit in hits]),
            described,
            weighted=groups.weights is not None,
        )

    def _neighbours(
        self,
        hits: Sequence[Hit],
        tracks: Mapping[int, Track],
        reasons: Sequence[Explanation | None],
    ) -> list[Neighbour]:
        calibration = self.similarity_calibration
        return [
            Neighbour(
                tracks[hit.track_id],
                hit.similarity,
                rank,
                hit.score,
                None if calibration is None else calibration.is_close(hit.similarity),
                why,
            )
            for rank, (hit, why) in enumerate(zip(hits, reasons, strict=True), start=1)
        ]


@dataclass(frozen=True)
class _Groups:
    """What is asked of groups of features: other weights, reasons, or both."""

    terms: GroupTerms
    weights: Scores | None
    why: bool

    @property
    def named_weights(self) -> dict[str, float]:
        """Those that are not 1, by the name of their group."""
        if self.weights is None:
            return {}
        named = zip(self.terms.grouped.groups, self.weights.tolist(), strict=True)
        return {name: weight for name, weight in named if weight != 1}


def _load_analyser(
    catalog: Catalog, projector: CatalogProjector, limits: "FileLimits | None"
) -> Analyser:
    """The installed model, with the catalogue's analysis settings; `SpaceMismatch` for another."""
    analysis_settings = catalog.analysis_settings()
    if not projector.installed or analysis_settings is None:
        raise other_weights(projector.active)
    # Not above: most services never open a sound.
    from recommender.audio.windows import Windowing
    from recommender.ingestion.file_reader import ReaderModel, ReaderPool
    from recommender.ingestion.isolated_analyser import IsolatedAnalyser
    from recommender.ingestion.settings import usable_cores

    windowing = Windowing(**analysis_settings["windowing"])
    model = ReaderModel(analysis_settings["model"], windowing)
    readers = ReaderPool(usable_cores(), limits, model=model)
    readers.start()  # the first process gets ready while the caller goes on
    return IsolatedAnalyser(readers, describes=True)
