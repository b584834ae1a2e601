"""Methods on the server, its user and its extensions."""

from collections.abc import Callable

from recommender.recommendation.service import SimilarityService
from recommender.server.subsonic.answers import Tree
from recommender.server.subsonic.calls import Call, Method

SONIC_SIMILARITY: Tree = {"name": "sonicSimilarity", "versions": [1]}
EXTENSIONS: tuple[Tree, ...] = (
    SONIC_SIMILARITY,
    {"name": "formPost", "versions": [1]},
    {"name": "apiKeyAuthentication", "versions": [1]},
)


def ping(call: Call) -> Tree:
    """Nothing."""
    return {}


def get_license(call: Call) -> Tree:
    """None is needed."""
    return {"license": {"valid": True}}


def token_info(call: Call) -> Tree:
    """Whose API key it is."""
    return {"tokenInfo": {"username": call.user}}


def get_user(call: Call) -> Tree:
    """What the one who calls may do."""
    may = ("scrobblingEnabled", "downloadRole", "playlistRole", "streamRole")
    may_not = (
        *("adminRole", "settingsRole", "uploadRole", "coverArtRole", "commentRole"),
        *("podcastRole", "jukeboxRole", "shareRole", "videoConversionRole"),
    )
    name = call.user or call.parameters.get("username")
    return {"user": {"username": name} | dict.fromkeys(may, True) | dict.fromkeys(may_not, False)}


def get_scan_status(call: Call, service: SimilarityService) -> Tree:
    """Whether an ingest runs, and how many songs there are."""
    is_scanning = any(not job.has_ended for job in call.state.jobs.jobs())
    count = service.catalog.counts().analysed
    return {"scanStatus": {"scanning": is_scanning, "count": count}}


def _none_of(name: str) -> Callable[[Call], Tree]:
    """The answer where there is nothing of a kind, as there never is."""
    return lambda call: {name: {}}


WITHOUT_CATALOGUE: dict[str, Callable[[Call], Tree]] = {
    "ping": ping,
    "getLicense": get_license,
    "tokenInfo": token_info,
    "getUser": get_user,
    "getInternetRadioStations": _none_of("internetRadioStations"),
    "getNewestPodcasts": _none_of("newestPodcasts"),
    "getPodcasts": _none_of("podcasts"),
    "getShares": _none_of("shares"),
    "getVideos": _none_of("videos"),
}
"""What answers even where nothing can be recommended."""

METHODS: dict[str, Method] = {"getScanStatus": get_scan_status}
