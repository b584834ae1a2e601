"""Links servers again without anybody at hand, as after an ingest."""

import logging

from recommender.catalog import Catalog
from recommender.catalog.server_records import MediaServer
from recommender.errors import RecsysError
from recommender.server.linking.credentials import credentials_of
from recommender.server.linking.link import link
from recommender.utils.terminal_text import one_line

logger = logging.getLogger(__name__)


def relink_servers(catalog: Catalog) -> list[str]:
    """Link every server again whose secret is kept (`credentials.keep`).

    Raises nothing: a server that does not answer keeps the ids that were stored of it.

    Returns:
        One line for each linked server, safe for a terminal: what came of it, or why nothing did.
    """
    try:
        servers = catalog.servers()
    except RecsysError as error:
        return [f"no server was linked again: {one_line(str(error))}"]
    return [one_line(_relinked(catalog, one)) for one in servers if one.linked_at is not None]


def _relinked(catalog: Catalog, server: MediaServer) -> str:
    try:
        kept = credentials_of(catalog, server)
        if kept is None:
            return (
                f"{server.name} was not linked again, as its secret is not kept: link it by hand."
            )
        report = link(catalog, server.kind, server.url, kept.login, kept.secret, server.name)
    except (RecsysError, OSError) as error:
        return f"{server.name} was not linked again: {error}"
    except Exception:
        logger.exception("linking again failed")
        return f"{server.name} was not linked again: an unexpected error."
    linked = sum(report.matched.values())
    return f"{server.name} was linked again: {linked} of {report.songs} songs."
