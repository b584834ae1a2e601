"""A segment of a sound file as a file of its own, sample by sample, with all its channels."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soundfile

from recommender.audio.decoder import DecoderError, one_line, opened
from recommender.audio.ffmpeg_decoder import FfmpegDecoder
from recommender.audio.mixing import ChannelMixer
from recommender.audio.soundfile_decoder import SoundfileDecoder
from recommender.audio.span_decoder import Span, SpanDecoder
from recommender.audio.stderr import silenced_stderr
from recommender.errors import PastEnd, UnreadableAudio
from recommender.utils.arrays import FloatArray

SUFFIX, MEDIA_TYPE = ".flac", "audio/flac"
"""Of what is written."""

_FASTEST = 0.0
"""Compression, from 0 to 1: the file is read again once or twice, and then deleted."""

_OpenDecoder = Callable[[BinaryIO, ChannelMixer], SoundfileDecoder | FfmpegDecoder]


class _AllChannels(ChannelMixer):
    """Takes the place of a mix to mono: what decoders give has all channels."""

    def mix(self, channels: FloatArray) -> FloatArray:
        """[shape=(channels, n)] → [shape=(n, channels)]."""
        return np.ascontiguousarray(channels.T)


def write_segment(path: Path, target: Path, span: Span) -> None:
    """Write what lies between two moments of a sound file as FLAC.

    What is lossless and has at most 24 bits is written exactly, from the sample at which the
    segment begins to the one before its end; of more bits, the first 24 are. The sound of lossy
    files is rounded to 16 bits.

    Args:
        path: of the sound file.
        target: is made, or replaced.
        span: its seconds.

    Raises:
        FileVanished, NoPermission, EmptyFile: there is nothing to read.
        UnreadableAudio: it cannot be decoded, or FLAC cannot hold it.
        PastEnd: the sound ends before the segment begins.
    """
    decoders: tuple[_OpenDecoder, ...] = (SoundfileDecoder, FfmpegDecoder)
    reason: DecoderError | None = None
    with silenced_stderr(), opened(path) as file:
        for open_decoder in decoders:
            try:
                with closing(open_decoder(file, _AllChannels())) as decoder:
                    _write(decoder, span, target)
                    return
            except DecoderError as error:
                reason = error
    raise UnreadableAudio(f"No part of it can be written ({reason}).") from reason


def _write(decoder: SoundfileDecoder | FfmpegDecoder, span: Span, target: Path) -> None:
    bits = 16 if decoder.is_lossy else min(decoder.bits, 24)
    with ExitStack() as stack:
        written: soundfile.SoundFile | None = None
        for block in cast(Iterator[FloatArray], SpanDecoder(decoder, span).blocks()):
            try:
                if written is None:
                    written = stack.enter_context(
                        soundfile.SoundFile(
                            target,
                            "w",
                            decoder.rate,
                            block.shape[1],
                            f"PCM_{bits}",
                            format="FLAC",
                            compression_level=_FASTEST,
                        )
                    )
                written.write(_whole_numbers(block, bits))
            except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
                raise DecoderError(one_line(error)) from error
    if written is None:
        raise PastEnd(f"A track begins at {span[0]:.1f} s, where the sound has ended.")


def _whole_numbers(
    block: FloatArray, bits: int
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int32]]":
    """Samples as their highest bits, in 32 bits."""
    most = 2 ** (bits - 1)
    numbers = np.rint(np.nan_to_num(block.astype(np.float64)) * most).clip(-most, most - 1)
    return np.left_shift(numbers.astype(np.int32), 32 - bits)
