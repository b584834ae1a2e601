"""What is damaged in a sound file that could be decoded all the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_LOSS = 0.10
"""Share of the claimed length that may be missing before a track counts as damaged."""

LARGEST_FAULT_RATE = 0.01
"""Share of the packets that may be skipped or faulty before a track counts as damaged."""


@dataclass(frozen=True)
class Damage:
    """Damage of a track beyond what is tolerated.

    Attributes:
        claimed_seconds: length that the file itself claims; None where it claims none.
        found_seconds: length that could be decoded.
        skipped_packets: packets, frames or pages that no decoder could use, or that are lost.
        errors: other faults: resynchronisations, checksums that differ, corrupt frames.
    """

    claimed_seconds: float | None
    found_seconds: float
    skipped_packets: int = 0
    errors: int = 0

    def to_json(self) -> dict[str, Any]:
        """The fields by name, for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Damage":
        """What `to_json` gave."""
        return cls(**{name: fields[name] for name in cls.__dataclass_fields__ if name in fields})

    def __str__(self) -> str:
        parts = []
        if self.claimed_seconds and self.found_seconds < self.claimed_seconds:
            parts.append(f"{self.found_seconds:.1f} of {self.claimed_seconds:.1f} s found")
        if self.skipped_packets:
            parts.append(f"{self.skipped_packets:,} packets skipped")
        if self.errors:
            parts.append(f"{self.errors:,} errors")
        return ", ".join(parts)
