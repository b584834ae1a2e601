"""The index of a catalogue, for `recsys status`: what it says of itself, without reading it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.embedding.space import SpaceId


@dataclass(frozen=True)
class IndexInUse:
    """An index file.

    Attributes:
        file: its path.
        recall: of the 10 best tracks, the share that a query finds; 1 where a search is exact.
        measured_at: number of tracks when that was measured.
        trouble: why there is none that can be used.
    """

    file: str
    recall: float | None = None
    measured_at: int | None = None
    trouble: str | None = None

    @property
    def in_words(self) -> str:
        """One line."""
        if self.trouble is not None:
            return f"none yet ({self.trouble})"
        found = "exact" if self.recall == 1 else f"recall@10 {self.recall:.3f}"
        return f"{found}, measured with {self.measured_at:,} tracks"


def index_in_use(catalog: "Catalog", active: "SpaceId", projection: str) -> IndexInUse:
    """The index of the active space with the projection that has this digest."""
    from recommender.errors import IndexDamaged
    from recommender.search.index_file import index_file
    from recommender.search.mapped_file import read_facts

    space = replace(active, projection=projection)
    path = index_file(space, catalog.state().catalog, catalog.file)
    try:
        effort = read_facts(path)["effort"]
        return IndexInUse(str(path), float(effort["recall"]), int(effort["measured_at"]))
    except FileNotFoundError:
        return IndexInUse(str(path), trouble="the next query builds it")
    except (IndexDamaged, LookupError, TypeError, ValueError):
        return IndexInUse(str(path), trouble="it cannot be read; the next query builds it again")
