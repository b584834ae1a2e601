"""The decoder for what libsndfile cannot read: ffmpeg's libraries through PyAV.

PyAV is imported when the first such file is met: that costs a quarter of a second.
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from recommender.audio.adts import walk_adts
from recommender.audio.asf_header import asf_seconds
from recommender.audio.damage import Faults
from recommender.audio.decoder import (
    RUN_UP,
    DecoderError,
    SeekError,
    one_line,
    plausible_rate,
    walked_mp3,
)
from recommender.audio.file_views import FileView, buffered
from recommender.audio.mixing import ChannelMixer
from recommender.audio.pcm_header import UNKNOWN_TO_FLAC, pcm_header
from recommender.errors import NoSound
from recommender.utils.arrays import FloatArray

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, Packet
    from av.container import InputContainer

_SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "ogg", "asf", "flac", "wav", "aiff", "au", "matroska,webm")
"""Containers whose time stamps can be trusted after a seek. The others are raw streams (mp3, aac),
where ffmpeg guesses the time from the bit rate."""

_LENGTH_IN_HEADER = (
    *("mov,mp4,m4a,3gp,3g2,mj2", "flac", "wav", "aiff", "au", "matroska,webm", "caf", "w64", "ogg"),
    *("tta", "wv", "ape", "tak", "mpc", "mpc8", "dsf", "iff"),
)
"""Containers that say how long they are. For others ffmpeg guesses."""

_MOST_ERRORS_AT_ONCE = 100
"""Errors of the container one after another, until the sound counts as ended.
They count as damage only where sound follows: what comes after it is no concern."""

_MOST_BYTES = 2
"""Times its own size that a file's packets may hold: a container that repeats a few bytes and puts
headers into packets stays below. Some demuxers go on for ever beyond the end of a damaged file."""

_BYTES_TOLERATED = 1 << 16

_CHECKED_CODECS = ("tta", "wavpack")
"""Codecs whose checksums ffmpeg looks at only when told; a packet that fails is left out."""

_LOSSY = ("mp3", "mp3float", "aac", "vorbis", "opus", "libopus", "wmav1", "wmav2", "ac3", "eac3")

_FOUND_BY_CHANCE = ("adp",)
"""Formats without a mark of their own, for which ffmpeg takes one junk file in three."""

_TOLERATED_GAP = 0.05
"""Seconds between two frames by their time stamps, in whole milliseconds."""

_HIGHEST_PCM_RATE = 768_000
_HIGHEST_DSD_RATE = 24_576_000
"""Of the samples that ffmpeg makes of DSD, an eighth of its bits: DSD64 gives 352,800 Hz."""

_AT_ONCE = 4_000_000
"""Samples of all channels, about, that are mixed at once: 16 MB."""


class FfmpegDecoder:
    """opus, aac, alac, wma, dsd, and whatever else ffmpeg knows; see `audio.decoder.Decoder`.

    Time stamps of wma and Matroska are whole milliseconds: a window there may begin up to two
    milliseconds off its position. Those of FLAC in Ogg are those of pages half a second long, so
    it is not sought in.

    Attributes:
        bits: as of `SoundfileDecoder`.
    """

    def __init__(self, file: BinaryIO | FileView, mixer: ChannelMixer | None = None) -> None:
        """Open and decode the first frame. Raises `DecoderError`, and `NoSound` for a video."""
        self._file = cast(BinaryIO, file)  # which PyAV reads by its methods
        self._size = self._file.seek(0, os.SEEK_END)
        self._kind: tuple[int, str, str] | None = None  # of the first frame
        self.mixer = mixer or ChannelMixer()
        self.faults = Faults()
        self.container_faults = Faults()
        self._open()
        codec, container = self._stream.codec_context.name, self._container.format.name
        is_dsd = codec.startswith("dsd_") or codec == "dst"
        self.rate = plausible_rate(
            self._first.sample_rate, _HIGHEST_DSD_RATE if is_dsd else _HIGHEST_PCM_RATE
        )
        # Lower rates of DSD are decoded from end to end, as they always were: windows differ in
        # the last digits.
        seekable = container in _SEEKABLE or (is_dsd and self.rate > _HIGHEST_PCM_RATE)
        in_pages = (container, codec) == ("ogg", "flac")
        timed = self._first.pts is not None
        self.is_lossy: bool = codec in _LOSSY
        self.bits = 16 if self._first.format.bytes <= 2 else 32
        self.seeks: bool = seekable and not in_pages and timed
        seconds = self._seconds(container)
        is_known = self.seeks or in_pages or container == "mp3"
        self.frames: int | None = (round(seconds * self.rate) or None) if is_known else None

    def _seconds(self, container: str) -> float:
        """The length as far as it is known without decoding; sets what the file claims."""
        self.claimed_seconds: float | None = None
        if container == "mp3":
            walk = walked_mp3(self._file)
            self.claimed_seconds, self.container_faults = walk.claimed_seconds, walk.faults
            return walk.seconds
        seconds = 0.0
        if self._stream.duration:
            seconds = float(self._stream.duration * self._tick)
        elif self._container.duration:
            seconds = self._container.duration / 1e6
        if container == "flac":
            # Frames are numbered; where the header is missing, so are those before the first.
            lost = self._origin // max(self._first.samples, 1)
            self.container_faults.skipped += max(lost, 0)
            if seconds * self.rate >= UNKNOWN_TO_FLAC:
                return seconds
        if container in _LENGTH_IN_HEADER and seconds > 0:
            self.claimed_seconds = seconds * self._claimed_share()
        elif container == "asf":
            self.claimed_seconds = asf_seconds(buffered(self._file))
        elif container == "aac":
            self.container_faults = walk_adts(buffered(self._file))
        return seconds

    def _claimed_share(self) -> float:
        """What the header of a wav and its like claims, as a share of what the file can hold."""
        header = None if isinstance(self._file, FileView) else pcm_header(self._file)
        return (
            header.claimed / header.present if header and header.claimed and header.present else 1.0
        )

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
            if self._container.format.name in _FOUND_BY_CHANCE:
                raise DecoderError("it is of no known format")
            self._stream = self._audio_stream()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DecoderError(one_line(error)) from error
        if self._stream.codec_context.name in _CHECKED_CODECS:
            self._stream.codec_context.options = {"err_detect": "crccheck+explode"}
        self._tick = self._stream.time_base or Fraction(1, 1000)
        self._decoding = self._decode()
        first = next(self._decoding, None)
        if first is None:
            raise DecoderError("not one frame of it can be decoded")
        self._first: AudioFrame = first
        self._origin = first.pts or 0  # in ticks; mp3, for one, does not begin at 0

    def _audio_stream(self) -> "AudioStream":
        """The stream that the container marks as its default, or else the first."""
        from av.stream import Disposition

        streams = self._container.streams
        if streams.audio:
            known = [one for one in streams.audio if one.codec_context is not None]
            if not known:
                raise DecoderError("its codec is not known")
            marked = [one for one in known if one.disposition & Disposition.default]
            return (marked or known)[0]
        if streams.video:
            raise NoSound("It holds pictures but no sound, so there is nothing to analyse.")
        raise DecoderError("it holds no audio stream")

    def close(self) -> None:
        """See `Decoder.close`."""
        self._container.close()

    def read(self, start: int, count: int) -> FloatArray:
        """See `Decoder.read`. Empty when the seek landed too late."""
        frames: list[AudioFrame] = []
        parts: list[FloatArray] = []
        skipped, length, held = 0, 0, 0
        for frame in self._frames_leading_to(start):
            if not length:
                skipped = start - self._position(frame)
                if skipped < 0:
                    break
            frames.append(frame)
            length += frame.samples
            held += frame.samples * frame.layout.nb_channels
            if held >= _AT_ONCE:
                parts.append(self._mono(frames))
                frames, held = [], 0
            if length >= skipped + count:
                break
        if frames or not parts:
            parts.append(self._mono(frames))
        return np.concatenate(parts)[skipped : skipped + count]

    def _frames_leading_to(self, start: int) -> "Iterator[AudioFrame]":
        import av

        run_up = round(RUN_UP * self.rate)
        if start <= run_up:  # a seek to the beginning would skip the codec's own first packet
            return self._from_beginning()
        ticks = int(Fraction(start - run_up, self.rate) / self._tick)
        try:
            self._container.seek(self._origin + ticks, stream=self._stream)
        except (av.FFmpegError, OSError) as error:
            raise SeekError(one_line(error)) from error
        return self._decode()

    def _position(self, frame: "AudioFrame") -> int:
        """Samples from the beginning of the sound to the beginning of the frame."""
        ticks = (frame.pts or 0) - self._origin
        return round(ticks * self._tick * self.rate)

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder.blocks`. Packets that cannot be decoded are left out."""
        self.faults.clear()
        frames: list[AudioFrame] = []
        length = 0
        for frame in self._from_beginning():
            frames.append(frame)
            length += frame.samples
            if length >= self.rate or length * frame.layout.nb_channels >= _AT_ONCE:
                yield self._mono(frames)
                frames, length = [], 0
        if frames:
            yield self._mono(frames)

    def _from_beginning(self) -> "Iterator[AudioFrame]":
        self._container.close()
        self._open()
        yield self._first
        yield from self._decoding

    def _decode(self) -> "Iterator[AudioFrame]":
        """Frames from the container's position on, past damage that it can skip."""
        import av

        packets, errors = self._container.demux(self._stream), 0
        self._frame_end: float | None = None
        left = _MOST_BYTES * self._size + _BYTES_TOLERATED
        while errors < _MOST_ERRORS_AT_ONCE:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                errors += 1
                packets = self._container.demux(self._stream)
                continue
            self.faults.errors += errors
            errors = 0
            left -= packet.size
            if left < 0:
                raise DecoderError("its packets hold more than the file does")
            yield from self._frames_of(packet)

    def _frames_of(self, packet: "Packet[AudioStream]") -> "Iterator[AudioFrame]":
        """The frames of a packet that are like the first one; faults are counted."""
        import av

        self.faults.packets += 1
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.faults.skipped += 1
            return
        for frame in frames:
            self._kind = self._kind or _kind(frame)
            if _kind(frame) != self._kind:  # a damaged frame may claim another
                self.faults.skipped += 1
                continue
            self.faults.errors += frame.is_corrupt
            self._count_gap(frame)
            yield frame

    def _count_gap(self, frame: "AudioFrame") -> None:
        """Count what is lost before a frame of wma, of which ffmpeg passes over in silence."""
        if self._container.format.name != "asf" or frame.pts is None:
            return
        begins = float(frame.pts * self._tick)
        gap = begins - (begins if self._frame_end is None else self._frame_end)
        self._frame_end = begins + frame.samples / frame.sample_rate
        if gap > _TOLERATED_GAP:
            self.faults.skipped += round(gap * frame.sample_rate / frame.samples)

    def _mono(self, frames: "list[AudioFrame]") -> FloatArray:
        """Decoded frames, one after another, as mono float32 in -1 to 1. [shape=(n,)].

        They are joined by ffmpeg: a conversion to NumPy for each would take longer than the
        decoding. Its resampler changes neither rate nor channels here; it puts the channels of
        planar sound side by side, for PyAV reads beyond the planes of a frame of eight channels or
        more.
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
        packed = [
            part.to_ndarray()[0] for part in (*packer.resample(whole), *packer.resample(None))
        ]
        return self.mixer.mix(np.concatenate(packed).reshape(-1, whole.layout.nb_channels).T)


def _kind(frame: "AudioFrame") -> tuple[int, str, str]:
    return frame.sample_rate, frame.format.name, frame.layout.name
