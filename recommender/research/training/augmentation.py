"""Data augmentation: random changes to training clips that keep their genre.

All work on a batch at once, on its device, and draw from a `torch.Generator`, so that a seed
determines a training run. Clips are decibels, [batch, n_mels, frames], not yet standardised.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

_LOW_PASS_BANDS = 0.2
"""Share of the bands that a low-pass filter may attenuate: of 128, those above 5.5 kHz."""

_MIN_SLOPE, _SLOPE_RANGE = 1.0, 64.0
"""Slope of the filter: from 1 dB a band (26 dB an octave) to 64 times as much."""


@dataclass(frozen=True)
class Augmentation:
    """Range of each change; 0 switches it off.

    Attributes:
        pitch_bands: shift along the Mel axis, in bands either way (a semitone is about 2 bands
            at 1 kHz).
        stretch: change of speed without pitch, as a factor either way.
        equaliser_db: amplitude of a smooth random gain over the bands.
        mask_bands: widest frequency mask, twice a clip (SpecAugment, Park et al. 2019).
        mask_frames: widest time mask, twice a clip.
        mixup: alpha of the beta distribution two clips are mixed by (Zhang et al. 2018).
        floor_db: how far the noise floor may be raised, as a louder reference would do.
        low_pass: share of the clips that are low-pass filtered, as by a lossy codec or a shift of
            the pitch downwards.
    """

    pitch_bands: float = 4.0
    stretch: float = 0.15
    equaliser_db: float = 6.0
    mask_bands: int = 16
    mask_frames: int = 20
    mixup: float = 0.3
    floor_db: float = 15.0
    low_pass: float = 0.0


UNCHANGED = Augmentation(0, 0, 0, 0, 0, 0, 0)
"""No augmentation."""


def random_crops(
    tracks: torch.Tensor, frames: int, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """One crop of each track at a random position, speed and pitch, in one bilinear resampling.

    Args:
        tracks: [batch, n_mels, track_frames].
        frames: length of the crops.

    Returns:
        [batch, n_mels, frames]
    """
    batch, n_mels, track_frames = tracks.shape

    def uniform(low: float, high: float) -> torch.Tensor:
        drawn = torch.rand(batch, generator=generator, device=tracks.device)
        return low + (high - low) * drawn

    speed = torch.exp(uniform(-settings.stretch, settings.stretch))
    length = (frames * speed).clamp(max=track_frames)
    start = uniform(0, 1) * (track_frames - length)
    steps = (torch.arange(frames, device=tracks.device) + 0.5) / frames
    time = start[:, None] + steps[None, :] * length[:, None] - 0.5  # [batch, frames]
    shift = uniform(-settings.pitch_bands, settings.pitch_bands)
    bands = torch.arange(n_mels, device=tracks.device)[None, :] + shift[:, None]  # [batch, n_mels]
    grid = torch.empty(batch, n_mels, frames, 2, device=tracks.device)
    grid[..., 0] = ((time + 0.5) / track_frames * 2 - 1)[:, None, :]
    grid[..., 1] = ((bands + 0.5) / n_mels * 2 - 1)[:, :, None]
    crops = F.grid_sample(tracks[:, None], grid, padding_mode="border", align_corners=False)
    return crops[:, 0]


def random_equaliser(
    clips: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Add a smooth curve over the bands (four random cosines) and raise the noise floor."""
    batch, n_mels, _ = clips.shape
    position = torch.linspace(0, 1, n_mels, device=clips.device)
    waves = torch.arange(1, 5, device=clips.device, dtype=clips.dtype)
    basis = torch.cos(torch.pi * waves[:, None] * position[None, :])  # [4, n_mels]
    weights = torch.randn(batch, 4, generator=generator, device=clips.device) / waves
    curve = settings.equaliser_db / 2 * (weights @ basis)  # [batch, n_mels]
    drawn = torch.rand(batch, 1, 1, generator=generator, device=clips.device)
    floor = clips.amin(dim=(1, 2), keepdim=True) + settings.floor_db * drawn
    return torch.maximum(clips + curve[:, :, None], floor)


def random_low_pass(
    clips: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Low-pass filter some clips: random cut-off band and slope, down to the clip's minimum."""
    if settings.low_pass <= 0:
        return clips
    batch, n_mels, _ = clips.shape
    drawn = torch.rand(3, batch, 1, generator=generator, device=clips.device)
    cutoff = n_mels * (1 - _LOW_PASS_BANDS * drawn[0])
    slope = _MIN_SLOPE * _SLOPE_RANGE ** drawn[1]  # dB a band
    bands = torch.arange(n_mels, device=clips.device)
    attenuation = slope * (bands - cutoff).clamp(min=0) * (drawn[2] < settings.low_pass)
    return torch.maximum(clips - attenuation[:, :, None], clips.amin(dim=(1, 2), keepdim=True))


def standardised_batch(clips: torch.Tensor) -> torch.Tensor:
    """Each clip to mean 0 and deviation 1, as `features.log_mel.standardised` does at inference."""
    mean = clips.mean(dim=(1, 2), keepdim=True)
    deviation = clips.std(dim=(1, 2), keepdim=True, unbiased=False).clamp(min=1e-3)
    return (clips - mean) / deviation


def random_masks(
    clips: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Zero (the mean of a standardised clip) two stripes of bands and two of frames."""
    for axis, width_limit in ((1, settings.mask_bands), (2, settings.mask_frames)) * 2:
        batch, size = clips.shape[0], clips.shape[axis]
        drawn = torch.rand(2, batch, 1, generator=generator, device=clips.device)
        width = drawn[0] * min(width_limit, size)
        start = drawn[1] * (size - width)
        index = torch.arange(size, device=clips.device)[None, :]
        masked = (index >= start) & (index < start + width)  # [batch, size]
        clips = clips.masked_fill(masked[:, :, None] if axis == 1 else masked[:, None, :], 0.0)
    return clips


def augmented(
    crops: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Crops in decibels: random equaliser, noise floor, low-pass; then standardised and masked."""
    equalised = random_equaliser(crops, settings, generator)
    filtered = random_low_pass(equalised, settings, generator)
    return random_masks(standardised_batch(filtered), settings, generator)


def mixed(
    clips: torch.Tensor, targets: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixup: every clip and its target [batch, n_classes] blended with another of the batch."""
    if settings.mixup <= 0:
        return clips, targets
    alpha = torch.full((2, len(clips), 1, 1), settings.mixup, device=clips.device)
    gammas = torch._standard_gamma(alpha, generator=generator).clamp(min=1e-6)
    ratio = gammas[0] / gammas.sum(dim=0)
    ratio = torch.maximum(ratio, 1 - ratio)  # the clip itself keeps the larger weight
    other = torch.randperm(len(clips), generator=generator, device=clips.device)
    blended = ratio * clips + (1 - ratio) * clips[other]
    weight = ratio[:, :, 0]
    return blended, weight * targets + (1 - weight) * targets[other]
