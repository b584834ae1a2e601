"""The options of the commands that ask the service of a catalogue."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.cli.options import Database, Device, Limits
from recommender.cli.output import open_service
from recommender.cli.similar_options import SearchDevice

if TYPE_CHECKING:
    from recommender.recommendation.service import SimilarityService


@dataclass(frozen=True)
class ServiceOptions:
    """Which catalogue is asked, and how."""

    device: SearchDevice = Device.AUTO
    limits: Limits = None
    db: Database = None

    def open(self) -> "SimilarityService":
        """The service of the catalogue."""
        return open_service(self.db, self.device.value, self.limits)
