"""What players tell the server behind of a user's songs reaches the catalogue's history, too."""

import json
import logging

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeTree

from recommender.catalog.list_records import EventKind
from recommender.errors import RecsysError
from recommender.recommendation.service import SimilarityService
from recommender.server.errors import Problem
from recommender.server.proxy.remote_music import RemoteMusic
from recommender.server.proxy.settings import ProxySettings
from recommender.server.state import ServerState
from recommender.server.subsonic.annotation import kind_of_rating, record
from recommender.server.subsonic.answers import SubsonicError
from recommender.server.subsonic.parameters import Parameters

logger = logging.getLogger(__name__)

METHODS = frozenset(("scrobble", "star", "unstar", "setRating"))


def has_succeeded(content: bytes) -> bool:
    """Whether an answer, in JSON or XML, says that the server did what was asked.

    Of another format nothing is known: JSONP repeats what the caller put before its answer.
    """
    try:
        if content.lstrip().startswith(b"{"):
            answer = json.loads(content).get("subsonic-response")
            return isinstance(answer, dict) and answer.get("status") == "ok"
        return bool(SafeTree.fromstring(content).get("status") == "ok")
    except (ValueError, SyntaxError, DefusedXmlException, RecursionError):
        return False


def names_one_user(given: Parameters) -> bool:
    """Whether the parameters name one user, and nothing beside that may name another."""
    return len(given.all("u")) == 1 and not given.has("apiKey")


async def note(state: ServerState, settings: ProxySettings, method: str, given: Parameters) -> None:
    """Store a call that the server accepted; what cannot be stored is only logged."""
    kind = _kind(method, given)
    if kind is None:
        return

    def stored(service: SimilarityService) -> None:
        music = RemoteMusic(state, settings, service)
        ids, times = given.all("id"), given.numbers("time")
        known = [at for at, one in enumerate(ids) if music.track_ids([one])]
        has_times = method == "scrobble" and len(times) == len(ids)
        tracks = music.track_ids([ids[at] for at in known])
        record(given.get("u"), service, kind, tracks, [times[at] for at in known if has_times])

    try:
        await state.run(stored)
    except (SubsonicError, RecsysError, Problem, ValueError) as error:
        logger.info("%s was not noted in the history: %s", method, error)


def _kind(method: str, given: Parameters) -> EventKind | None:
    if method == "scrobble":
        return EventKind.PLAY if given.flag("submission", True) else None
    if method == "setRating":
        rating = given.get("rating")
        return kind_of_rating(int(rating)) if rating in ("0", "1", "2", "3", "4", "5") else None
    return EventKind.LIKE if method == "star" else EventKind.UNLIKE
