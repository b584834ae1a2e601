"""What is damaged in a sound file that could be decoded all the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_LOSS = 0.10
"""Share of the claimed length that may be missing before a track counts as damaged."""

LARGEST_FAULT_RATE = 0.01
"""Share of the packets that may be skipped or faulty before a track counts as damaged."""

FEWEST_FAULTS = 3
"""Packets skipped or faulty that are always tolerated, less one: a seek or a cut costs some."""


LOUDEST = 8.0
"""Times full scale that sound of a lossy codec may reach: what was coded at full scale stays below
2, and one wrong bit in a gain makes thousands."""


@dataclass(frozen=True)
class Damage:
    """Damage of a track beyond what is tolerated.

    Attributes:
        claimed_seconds: length that the file itself claims; None where it claims none.
        found_seconds: length that could be decoded.
        skipped_packets: packets, frames or pages that no decoder could use, or that are lost.
        errors: other faults: resynchronisations, checksums that differ, corrupt frames, windows
            with samples that no codec makes of whole data.
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
            parts.append(f"{self.skipped_packets:,} packet{'s' * (self.skipped_packets > 1)} lost")
        if self.errors:
            parts.append(f"{self.errors:,} error{'s' * (self.errors > 1)}")
        return ", ".join(parts)


@dataclass
class Faults:
    """Faults counted while a file is examined or decoded.

    Attributes:
        packets: packets, frames or pages in all.
        skipped, errors: as in `Damage`.
        cut_off: whether the file ends where more must follow, so that nobody knows what is lost.
    """

    packets: int = 0
    skipped: int = 0
    errors: int = 0
    cut_off: bool = False

    @property
    def excessive(self) -> bool:
        """Whether they are more than is tolerated."""
        faults = self.skipped + self.errors
        return self.cut_off or faults >= max(FEWEST_FAULTS, LARGEST_FAULT_RATE * self.packets)

    def add(self, other: "Faults") -> None:
        """Count those of another part of the same file too."""
        self.packets += other.packets
        self.skipped += other.skipped
        self.errors += other.errors
        self.cut_off |= other.cut_off

    def clear(self) -> None:
        """Begin to count again."""
        self.packets = self.skipped = self.errors = 0
        self.cut_off = False


def assess(claimed: float | None, found: float, *faults: Faults, blasts: int = 0) -> Damage | None:
    """The damage of a file, if it is beyond what is tolerated.

    Args:
        claimed: seconds that the file claims to last, where it does.
        found: seconds that could be decoded.
        faults: counted in different ways, such as of pages and of packets: one excessive suffices.
        blasts: windows louder than `LOUDEST`, of a lossy codec; one suffices.
    """
    short = claimed is not None and found < (1 - LARGEST_LOSS) * claimed
    if not short and not blasts and not any(counted.excessive for counted in faults):
        return None
    return Damage(
        claimed_seconds=claimed,
        found_seconds=found,
        skipped_packets=sum(counted.skipped for counted in faults),
        errors=sum(counted.errors for counted in faults) + blasts,
    )
