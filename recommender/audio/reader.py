"""From a sound file to mono float32 samples at one rate: the whole track or windows of it.

Windows are read by seeking. Where that fails (a header that lies about the length, a window that
comes back short, nothing but silence) the file is decoded from end to end and the windows are
positioned again by what was found. Resampling is soxr HQ, as in librosa; a window is read with a
margin and on the resampler's grid, so that it equals the same slice of the whole track.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeVar

import numpy as np

from recommender.audio.chained_decoder import ChainedDecoder
from recommender.audio.damage import LOUDEST, Damage, Faults, assess
from recommender.audio.decoder import Decoder, DecoderError, SeekError, Sound, opened
from recommender.audio.ffmpeg_decoder import FfmpegDecoder
from recommender.audio.file_views import buffered
from recommender.audio.ogg_pages import walk_ogg
from recommender.audio.slices import (
    MARGIN,
    resampled,
    slice_by_seeking,
    slices_by_streaming,
    window_positions,
)
from recommender.audio.soundfile_decoder import SoundfileDecoder
from recommender.audio.span_decoder import Span, SpanDecoder
from recommender.audio.stderr import silenced_stderr
from recommender.audio.windows import SHORTEST, Windowing
from recommender.errors import (
    NotFinite,
    Silent,
    TooShort,
    UnreadableAudio,
)
from recommender.utils.arrays import FloatArray

SAMPLE_RATE = 22_050
"""Samples a second of everything that is analysed."""

SILENCE = 2.0**-16
"""Peak below which samples are digital silence: half a step of 16-bit sound."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class AudioClip:
    """Mono sound: samples float32 [shape=(n,)], full scale ±1, at `sample_rate` a second."""

    samples: FloatArray
    sample_rate: int

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class DecodedWindows:
    """Windows of one track that hold sound; silent ones are left out.

    Attributes:
        clips: each `Windowing.seconds` long, or one clip of all a shorter track holds.
        starts: where each begins, in seconds from the track's beginning.
        duration: seconds of the whole track.
        damage: of the file, where it is beyond what is tolerated.
        channel_gain: power of all channels together over that of their mix.
    """

    clips: tuple[AudioClip, ...]
    starts: tuple[float, ...]
    duration: float
    damage: Damage | None = None
    channel_gain: float = 1.0


def read_windows(
    sound: Sound, windowing: Windowing, sample_rate: int = SAMPLE_RATE, span: Span | None = None
) -> DecodedWindows:
    """The windows of a track, reading no more of it than they need.

    Only what is read is checked: NaN samples between two windows are not noticed. A track whose
    windows are all silent is decoded to its end, and its windows move to where there is sound.

    Args:
        sound: a path, or a binary file object, which is read from its beginning and stays open.
        windowing: how many windows, how long and where.
        sample_rate: Hz of the clips.
        span: the part of the file that is the track; None for all of it. Windows, silence and
            lengths are then those of a file cut there.

    Raises:
        TypeError: neither a path nor a binary file object.
        FileVanished, NoPermission, EmptyFile: there is nothing to read.
        UnreadableAudio: neither soundfile nor PyAV can decode it; the message says why.
        NoSound: a video without sound, or a picture.
        TooShort: less than `SHORTEST` seconds.
        Silent: digital silence from beginning to end.
        NotFinite: NaN or infinity among the samples.
        PastEnd: the span begins where the sound has ended.
    """

    def read(decoder: Decoder) -> DecodedWindows:
        part = decoder if span is None else SpanDecoder(decoder, span)
        windows = _windows(part, windowing, sample_rate)
        return replace(windows, channel_gain=decoder.mixer.channel_gain)

    return _with_decoder(sound, read)


def read_whole(sound: Sound, sample_rate: int = SAMPLE_RATE) -> AudioClip:
    """All of a track: 88 KB of memory a second. Arguments and errors as of `read_windows`."""
    return _with_decoder(sound, lambda decoder: _whole(decoder, sample_rate))


def _with_decoder(sound: Sound, read: Callable[[Decoder], _Result]) -> _Result:
    """The result of `read` with the first decoder that does not fail at any point."""
    with silenced_stderr(), opened(sound) as file:
        reason: DecoderError | None = None
        for open_decoder, faults in _decoders(file):
            try:
                with closing(open_decoder()) as decoder:
                    decoder.container_faults.add(faults)
                    return _in_phase(decoder, read)
            except DecoderError as error:
                reason = error  # ffmpeg, the last, knows most formats
        raise UnreadableAudio(
            f"No decoder makes sound of it ({reason}); replace or remove the file."
        ) from reason


def _decoders(file: BinaryIO) -> Iterator[tuple[Callable[[], Decoder], Faults]]:
    """The decoders to try, in this order, with the faults of the container."""
    faults = Faults()
    if buffered(file).read(4) == b"OggS":
        pages = walk_ogg(file)
        faults = pages.faults
        if len(pages.links) > 1:
            yield lambda: ChainedDecoder(file, pages.links), faults
    yield lambda: SoundfileDecoder(file), faults
    yield lambda: FfmpegDecoder(file), faults


def _in_phase(decoder: Decoder, read: Callable[[Decoder], _Result]) -> _Result:
    """What `read` makes of the sound; twice where its channels cancel one another."""
    try:
        result = read(decoder)
    except Silent:
        if not decoder.mixer.turn_in_phase():
            raise
        return read(decoder)
    return read(decoder) if decoder.mixer.turn_in_phase() else result


def _windows(decoder: Decoder, windowing: Windowing, sample_rate: int) -> DecodedWindows:
    claimed = (decoder.frames or 0) / decoder.rate
    if claimed >= windowing.seconds:
        length = round(windowing.seconds * sample_rate)
        positions = window_positions(windowing.starts(claimed), sample_rate)
        true = claimed
        if decoder.seeks:
            try:
                clips = [
                    slice_by_seeking(decoder, position, length, sample_rate)
                    for position in positions
                ]
            except SeekError:
                return _windows_by_streaming(decoder, windowing, sample_rate)
        else:
            clips, true = slices_by_streaming(decoder, positions, length, sample_rate)
        full = all(len(clip) == length for clip in clips)
        if full and abs(true - claimed) < SHORTEST and any(map(_sounds, clips)):
            damage = _damage(decoder, true, clips)
            return _checked_windows(clips, positions, true, sample_rate, damage)
    return _windows_by_streaming(decoder, windowing, sample_rate)


def _windows_by_streaming(
    decoder: Decoder, windowing: Windowing, sample_rate: int
) -> DecodedWindows:
    """Windows of a short track, of one whose header lies, or of one silent for the most part."""
    duration, sounding = _survey(decoder)
    starts = windowing.starts(duration)
    length = round(min(windowing.seconds, duration) * sample_rate)
    positions = window_positions(starts, sample_rate)
    clips, _ = slices_by_streaming(decoder, positions, length, sample_rate)
    if not any(map(_sounds, clips)):
        spread = [
            sounding[int((i + 0.5) / len(starts) * len(sounding))] for i in range(len(starts))
        ]
        last = max(duration - windowing.seconds, 0.0)
        starts = tuple(min(max(moment - MARGIN, 0.0), last) for moment in sorted(set(spread)))
        positions = window_positions(starts, sample_rate)
        clips, _ = slices_by_streaming(decoder, positions, length, sample_rate)
    damage = _damage(decoder, duration, clips)
    return _checked_windows(clips, positions, duration, sample_rate, damage)


def _whole(decoder: Decoder, sample_rate: int) -> AudioClip:
    samples = np.concatenate([np.empty(0, np.float32), *resampled(decoder, sample_rate)])
    duration = len(samples) / sample_rate
    _require_sound(decoder, duration, _sounds(samples), bool(np.isfinite(samples).all()))
    return AudioClip(samples, sample_rate)


def _survey(decoder: Decoder) -> tuple[float, list[float]]:
    """Seconds of the whole track, and moments (in seconds, at most one a block) that sound."""
    frames = 0
    sounding: list[float] = []
    finite = True
    for block in decoder.blocks():
        finite = finite and bool(np.isfinite(block).all())
        loud = np.abs(block) >= SILENCE
        if loud.any():
            sounding.append((frames + int(loud.argmax())) / decoder.rate)
        frames += len(block)
    duration = frames / decoder.rate
    _require_sound(decoder, duration, bool(sounding), finite)
    return duration, sounding


def _require_sound(decoder: Decoder, duration: float, sounds: bool, finite: bool) -> None:
    """Raise the named failure of a whole track, if it has one."""
    if duration == 0 and decoder.frames:
        raise DecoderError("not one sample can be decoded")
    if not finite:
        raise _not_finite()
    if duration < SHORTEST:
        raise TooShort(
            f"It lasts {duration:.2f} s; {SHORTEST:g} s is the least that can be analysed."
        )
    if not sounds:
        raise _silent(duration)


def _checked_windows(
    clips: list[FloatArray],
    positions: list[int],
    duration: float,
    sample_rate: int,
    damage: Damage | None,
) -> DecodedWindows:
    """The windows that sound. Raises `NotFinite` and `Silent`."""
    if not all(_is_finite(clip) for clip in clips if len(clip)):
        raise _not_finite()
    windows = zip(clips, positions, strict=True)
    sounding = [(clip, position) for clip, position in windows if _sounds(clip)]
    if not sounding:  # a click so faint that resampling levelled it
        raise _silent(duration)
    return DecodedWindows(
        clips=tuple(AudioClip(clip, sample_rate) for clip, _ in sounding),
        starts=tuple(position / sample_rate for _, position in sounding),
        duration=duration,
        damage=damage,
    )


def _damage(decoder: Decoder, found: float, clips: list[FloatArray]) -> Damage | None:
    """The damage of a file of which `found` seconds can be decoded, with these windows."""
    blasts = sum(decoder.is_lossy and bool(np.abs(clip).max(initial=0) > LOUDEST) for clip in clips)
    faults = decoder.container_faults, decoder.faults
    return assess(decoder.claimed_seconds, found, *faults, blasts=blasts)


def _sounds(samples: FloatArray) -> bool:
    """Whether any sample is more than digital silence; NaN counts, to be refused by name."""
    return bool(len(samples)) and not (samples.max() < SILENCE and samples.min() > -SILENCE)


def _is_finite(samples: FloatArray) -> bool:
    """Whether there is neither NaN nor infinity among samples, of which there are some."""
    return bool(np.isfinite(samples.max()) and np.isfinite(samples.min()))


def _not_finite() -> NotFinite:
    return NotFinite("Its samples hold NaN or infinity; export it again from its source.")


def _silent(duration: float) -> Silent:
    return Silent(f"All {duration:.1f} s of it are digital silence; there is nothing to analyse.")
