"""The decoder for what libsndfile cannot read: ffmpeg's libraries through PyAV.

PyAV is imported when the first such file is met: that costs a quarter of a second.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from recommender.audio.decoder import (
    RUN_UP,
    DecoderError,
    mean_of_channels,
    one_line,
    plausible_rate,
    walked_mp3,
)
from recommender.errors import NoSound
from recommender.utils.arrays import FloatArray

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import InputContainer

_SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "ogg", "asf", "flac", "wav", "aiff", "au", "matroska,webm")
"""Containers whose time stamps can be trusted after a seek. The others are raw streams (mp3, aac),
where ffmpeg guesses the time from the bit rate."""


class FfmpegDecoder:
    """opus, aac, alac, wma, and whatever else ffmpeg knows; see `audio.decoder.Decoder`.

    Time stamps of wma and Matroska are whole milliseconds: a window there may begin up to two
    milliseconds off its position.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Open and decode the first frame. Raises `DecoderError`, and `NoSound` for a video."""
        self._file = file
        self._kind: tuple[int, str, str] | None = None  # of the first frame
        self._open()
        self.rate = plausible_rate(self._first.sample_rate)
        container, stream = self._container, self._stream
        self.seeks: bool = container.format.name in _SEEKABLE and self._first.pts is not None
        seconds = 0.0
        if container.format.name == "mp3":
            seconds = walked_mp3(file)
        elif self.seeks and stream.duration:
            seconds = float(stream.duration * self._tick)
        elif self.seeks and container.duration:
            seconds = container.duration / 1e6
        self.frames: int | None = round(seconds * self.rate) or None

    def _open(self) -> None:
        """Begin at the beginning."""
        import av

        self._file.seek(0)
        try:
            self._container: InputContainer = av.open(
                self._file,
                "r",
                metadata_errors="replace",
                # A playlist that poses as a sound must not make ffmpeg open files or addresses.
                options={"protocol_whitelist": "none"},
            )
            self._stream = self._audio_stream()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DecoderError(one_line(error)) from error
        self._tick = self._stream.time_base or Fraction(1, 1000)
        self._decoding = self._decode()
        first = next(self._decoding, None)
        if first is None:
            raise DecoderError("not one frame of it can be decoded")
        self._first: AudioFrame = first
        self._origin = first.pts or 0  # in ticks; mp3, for one, does not begin at 0

    def _audio_stream(self) -> "AudioStream":
        streams = self._container.streams
        if streams.audio:
            return streams.audio[0]
        if streams.video:
            raise NoSound("It holds pictures but no sound, so there is nothing to analyse.")
        raise DecoderError("it holds no audio stream")

    def close(self) -> None:
        """See `Decoder.close`."""
        self._container.close()

    def read(self, start: int, count: int) -> FloatArray:
        """See `Decoder.read`. Empty when the seek landed too late."""
        frames: list[AudioFrame] = []
        skipped, length = 0, 0
        for frame in self._frames_leading_to(start):
            if not frames:
                skipped = start - self._position(frame)
                if skipped < 0:
                    break
            frames.append(frame)
            length += frame.samples
            if length >= skipped + count:
                break
        return _mono(frames)[skipped : skipped + count]

    def _frames_leading_to(self, start: int) -> "Iterator[AudioFrame]":
        import av

        run_up = round(RUN_UP * self.rate)
        if start <= run_up:  # a seek to the beginning would skip the codec's own first packet
            return self._from_beginning()
        ticks = int(Fraction(start - run_up, self.rate) / self._tick)
        try:
            self._container.seek(self._origin + ticks, stream=self._stream)
        except (av.FFmpegError, OSError) as error:
            raise DecoderError(one_line(error)) from error
        return self._decode()

    def _position(self, frame: "AudioFrame") -> int:
        """Samples from the beginning of the sound to the beginning of the frame."""
        ticks = (frame.pts or 0) - self._origin
        return round(ticks * self._tick * self.rate)

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder.blocks`. Packets that cannot be decoded are left out."""
        frames: list[AudioFrame] = []
        length = 0
        for frame in self._from_beginning():
            frames.append(frame)
            length += frame.samples
            if length >= self.rate:
                yield _mono(frames)
                frames, length = [], 0
        if frames:
            yield _mono(frames)

    def _from_beginning(self) -> "Iterator[AudioFrame]":
        self._container.close()
        self._open()
        yield self._first
        yield from self._decoding

    def _decode(self) -> "Iterator[AudioFrame]":
        """Frames from the container's position on; damage that it cannot skip ends the sound."""
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError, OSError):
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                self._kind = self._kind or _kind(frame)
                if _kind(frame) == self._kind:  # a damaged frame may claim another
                    yield frame


def _kind(frame: "AudioFrame") -> tuple[int, str, str]:
    return frame.sample_rate, frame.format.name, frame.layout.name


def _mono(frames: "list[AudioFrame]") -> FloatArray:
    """Decoded frames, one after another, as mono float32 in -1 to 1. np.ndarray [shape=(n,)].

    They are joined by ffmpeg: a conversion to NumPy for each would take longer than the decoding.
    Its resampler changes neither rate nor channels here; it puts the channels of planar sound
    side by side, for PyAV reads beyond the planes of a frame of eight channels or more.
    """
    from av import AudioFifo, AudioResampler

    if not frames:
        return np.empty(0, np.float32)
    joined = AudioFifo()
    for frame in frames:
        frame.pts = None  # gaps in time are closed
        joined.write(frame)
    whole = joined.read()
    assert whole is not None
    packer = AudioResampler("flt", whole.layout, whole.sample_rate)
    packed = [part.to_ndarray()[0] for part in (*packer.resample(whole), *packer.resample(None))]
    return mean_of_channels(np.concatenate(packed).reshape(-1, whole.layout.nb_channels).T)
