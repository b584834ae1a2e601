"""What all requests of one process share."""

import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar, cast

from fastapi import Request

from recommender.catalog import Catalog
from recommender.recommendation.service import SimilarityService
from recommender.server.errors import Problem
from recommender.server.music_library import MusicLibrary, MusicLibraryCache
from recommender.server.player_notes import PlayerNotes
from recommender.server.segments import SegmentFiles
from recommender.server.service_holder import ServiceHolder
from recommender.server.settings import ServerSettings
from recommender.server.users import UserStore
from recommender.server.work_pool import WorkPool

if TYPE_CHECKING:
    from recommender.server.jobs import IngestJobs
    from recommender.server.metrics import Metrics

_Result = TypeVar("_Result")


class ServerState:
    """The settings, the service, the users, the threads and the jobs of one application.

    Attributes:
        settings: of the server.
        users: who may use it.
        queries: threads for what is computed from the catalogue.
        uploads: threads for sounds that are analysed.
        files: threads that open files.
        segments: threads that wait for segments of files.
        segment_files: cuts them.
        player_notes: what players leave at the server.
        jobs: runs ingests.
        metrics: counts requests.
    """

    jobs: "IngestJobs"
    metrics: "Metrics"

    def __init__(self, settings: ServerSettings) -> None:
        """Open nothing yet."""
        limits = settings.limits
        self.settings = settings
        self.users = UserStore(settings.users_path)
        self.holder = ServiceHolder(settings.database, settings.file_limits)
        self.queries = WorkPool("query", limits.threads, limits.waiting, limits.request_s)
        upload_s = 2 * settings.file_limits.timeout_s + limits.request_s
        self.uploads = WorkPool("upload", limits.uploads, 2 * limits.uploads, upload_s)
        self.files = WorkPool("file", limits.threads, limits.waiting, limits.request_s)
        self.segments = WorkPool("segment", 2, limits.waiting, limits.request_s)
        self.segment_files = SegmentFiles(settings.file_limits)
        self.player_notes = PlayerNotes(settings.file_beside("players.json"))
        self._receiving = 0
        self._music_library = MusicLibraryCache()
        self._kept: dict[str, tuple[object, object]] = {}
        self._keeping: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def requires_auth(self) -> bool:
        """Whether requests have to prove who asks. Raises `UsersUnreadable`."""
        if self.settings.require_auth is not None:
            return self.settings.require_auth
        return not self.settings.is_loopback or self.users.had_users

    async def run(self, work: Callable[[SimilarityService], _Result]) -> _Result:
        """``work(service)`` in a thread for queries.

        Raises `Problem` as `WorkPool.run`, and what `ServiceHolder.lease` and `work` raise.
        """
        return await self.queries.run(self._with_service, work)

    async def run_upload(self, work: Callable[[SimilarityService], _Result]) -> _Result:
        """Likewise, in a thread for sounds that are analysed."""
        return await self.uploads.run(self._with_service, work)

    async def run_file(
        self,
        work: Callable[[SimilarityService], _Result],
        discard: Callable[[_Result], object] | None = None,
    ) -> _Result:
        """Likewise, in a thread for files that are opened; `discard` as of `WorkPool.run`."""
        return await self.files.run(self._with_service, work, discard=discard)

    async def run_segment(
        self,
        work: Callable[[SimilarityService], _Result],
        discard: Callable[[_Result], object],
    ) -> _Result:
        """Likewise, in a thread for what waits for `segment_files`."""
        return await self.segments.run(self._with_service, work, discard=discard)

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Room for a sound that is sent, which lies on the disk until it was analysed.

        Raises `Problem` (503) where too many are sent at a time.
        """
        if self._receiving >= 2 * self.settings.limits.uploads:
            raise Problem(503, "Too many sounds are sent at a time.", {"Retry-After": "5"})
        self._receiving += 1
        try:
            yield
        finally:
            self._receiving -= 1

    def _with_service(self, work: Callable[[SimilarityService], _Result]) -> _Result:
        with self.holder.lease() as service:
            return work(service)

    def follow(self) -> None:
        """Have the index be that of the catalogue as it is now, however long it takes.

        Raises `RecsysError` where there is nothing to serve.
        """
        self.holder.renew()
        with self.holder.lease() as service:
            service.index()

    def music_library(self, catalog: Catalog) -> MusicLibrary:
        """The artists and albums of the catalogue; blocks, so it is for use in a thread."""
        return self._music_library.of(catalog)

    def kept(self, what: str, key: object, compute: Callable[[], _Result]) -> _Result:
        """The last `what` that was computed, if for this very key, or else computed now.

        For what is costly, and asked for again and again of one state of the catalogue; in a
        thread.
        """
        with self._keeping[what]:
            found = self._kept.get(what)
            if found is None or found[0] != key:
                self._kept[what] = found = (key, compute())
            return cast(_Result, found[1])

    def close(self) -> None:
        """Close the service and end the threads."""
        for pool in (self.queries, self.uploads, self.files, self.segments):
            pool.close()
        self.segment_files.close()
        self.holder.close()


def state_of(request: Request) -> ServerState:
    """What the application of a request shares."""
    state: ServerState = request.app.state.recsys
    return state
