"""What each musical descriptor is, where its definition comes from, and what it was judged by."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """Of one value.

    Attributes:
        name: field of `MusicalDescriptors`.
        unit: or range.
        meaning: what it is, and when it is missing.
        source: of the definition.
        judged: what it was compared with; that nothing could be, where that is so.
    """

    name: str
    unit: str
    meaning: str
    source: str
    judged: str


_CONVENTION = "a convention of this program"
_NOT_JUDGED = "cannot be judged on data at hand; only its order over genres was looked at"

DEFINITIONS = (
    Definition(
        "loudness",
        "LUFS",
        "Gated K-weighted loudness of the analysed windows, all channels together; an estimate, as "
        "the rest of the track and what lies above 11 kHz are not heard. Missing in near silence.",
        "ITU-R BS.1770-4",
        "pyloudnorm on whole files",
    ),
    Definition(
        "loudness_range",
        "LU",
        "From the 10th to the 95th percentile of the loudness of 3 s, gated; an estimate. Missing "
        "for less than 5 s of sound.",
        "EBU Tech 3342",
        "its definition on whole files",
    ),
    Definition(
        "tempo",
        "beats a minute",
        "The beat most people would tap, from 40 to 220. Missing where nothing repeats: speech, "
        "drones, free rhythm.",
        "Peeters, EURASIP J. Adv. Signal Process. (2007); onsets as Böck & Widmer, DAFx (2013)",
        "click tracks, rendered scores, annotations of GTZAN (Marchand & Peeters)",
    ),
    Definition(
        "tempo_confidence",
        "0 to 1",
        "How clear the beat is; halved where another tempo is as likely.",
        _CONVENTION,
        "share of right tempi at each level",
    ),
    Definition(
        "second_tempo",
        "beats a minute",
        "The other tempo that the beat may be felt at, mostly half or double; missing where there "
        "is no doubt.",
        "as tempo",
        "as tempo",
    ),
    Definition(
        "beat_strength",
        "0 to 1",
        "How much of the onsets repeats after one beat and after two.",
        "autocorrelation of the onset curve, as Tzanetakis & Cook, IEEE TSAP 10 (2002)",
        "click tracks (1), noise (0)",
    ),
    Definition(
        "key",
        "C to B",
        "Tonic of the best major or minor key. Missing for noise, speech and drones.",
        "Krumhansl (1990); profiles of Albrecht & Shanahan, Music Perception 31 (2013)",
        "cadences in all keys, rendered scores, annotations of GTZAN (Kraft, Lerch & Zölzer)",
    ),
    Definition(
        "mode",
        "major, minor",
        "Of that key. Other modes count as the nearest of the two.",
        "as key",
        "as key",
    ),
    Definition(
        "key_confidence",
        "0 to 1",
        "How well the key fits, and how far it leads the next one.",
        _CONVENTION,
        "share of right keys at each level",
    ),
    Definition(
        "tuning",
        "cents",
        "Of the note A from 440 Hz, -50 to 50. Missing where strong partials agree on none.",
        "mean phase of deviations, as Gómez (2006), section 3.4",
        "detuned cadences, librosa",
    ),
    Definition(
        "energy",
        "0 to 1",
        "Loud, busy, bright and steady: a weighted mean of loudness, onsets a second, brightness "
        "and dynamic complexity. Missing for less than 3 s.",
        _CONVENTION,
        _NOT_JUDGED,
    ),
    Definition(
        "danceability",
        "0 to 1",
        "A strong and sure beat near 115 a minute, in the bass as well. Missing for less than 4 s.",
        _CONVENTION,
        _NOT_JUDGED,
    ),
    Definition(
        "acousticness",
        "0 to 1",
        "Dark, quiet, without drums, with dynamics: a weighted mean. Missing for less than 3 s.",
        _CONVENTION,
        _NOT_JUDGED,
    ),
    Definition(
        "brightness",
        "Hz",
        "Mean centre of the amplitude spectrum over frames that sound.",
        "Peeters, CUIDADO report (2004)",
        "sines, librosa",
    ),
    Definition(
        "percussive",
        "0 to 1",
        "Share of the amplitude that is broad in frequency rather than steady in time.",
        "Fitzgerald, DAFx (2010)",
        "clicks, sines and their mixtures",
    ),
    Definition(
        "vocals",
        "0 to 1",
        "Likelihood of singing or speech, by partials that glide and formants that move. Missing "
        "for less than 3 s.",
        "Lehner, Widmer & Sonnleitner, ICASSP (2014)",
        "songs of lyrics collections against instrumental pieces, a song against its instrumental, "
        "synthesised speech laid over instrumental pieces",
    ),
    Definition(
        "dynamic_complexity",
        "dB",
        "Mean distance of the levels of .2 s from their mean.",
        "Streich, Music Complexity (2007)",
        "sounds of two known levels",
    ),
    Definition(
        "speech",
        "0 to 1",
        "Likelihood that it is speech alone, without music; from .5 on it is kept out of mixes. "
        "Missing for less than 3 s.",
        "features of Scheirer & Slaney, ICASSP (1997), and of vocals",
        "read and synthesised speech against music",
    ),
)
"""All values of a record, in their order."""
