"""Styles: each function composes and performs one piece on an empty `Score`.

What makes the style (metre, instruments, rhythm, register) is written down; what differs between
its pieces (key, tempo, progression, melody, timbre) is drawn from the score's own chance.
"""

from collections.abc import Callable

from recommender.demo import instruments as play_on
from recommender.demo.instruments import ORGAN, SAW, TRIANGLE, darker, pulse
from recommender.demo.score import (
    BLUES,
    DORIAN,
    MAJOR,
    MINOR,
    MIXOLYDIAN,
    PHRYGIAN,
    Mix,
    Score,
)


def nocturne(score: Score) -> Mix:
    """Solo piano: broken chords in the left hand, a slow melody in the right, much room."""
    score.choose((52, 72), 58, (MINOR, MAJOR, MINOR), ((0, 5, 3, 4), (0, 3, 6, 2), (0, 5, 1, 4)))
    rate, beat = score.rate, score.beat
    brightness = score.rng.uniform(1.6, 2.6)
    left = score.pick(((0, 2, 4, 7, 4, 2), (0, 4, 7, 9, 7, 4), (0, 4, 2, 7, 2, 4)))
    melody = score.walk(4, 15)
    for start, degree in score.bars(3):
        for eighth, offset in enumerate(left):
            low = score.note(degree + offset - 14 if offset else degree - 14)
            sound = play_on.piano(rate, low, 2.5 * beat, brightness)
            at = start + eighth * beat / 2 + score.rng.uniform(0, 0.02)
            score.play(sound, at, 0.4 if eighth else 0.5, -0.3, 0.3)
        at = start
        for length in score.pick(((3,), (2, 1), (1, 1, 1), (1.5, 0.5, 1), (2, 0.5, 0.5))):
            tune = score.note(next(melody))
            sound = play_on.piano(rate, tune, 3.0, brightness)
            score.play(sound, at + score.rng.uniform(0, 0.03), score.rng.uniform(0.7, 1), 0.3, 0.4)
            at += length * beat
    return score.mixed(2.2, 5_000)


def waltz(score: Score) -> Mix:
    """String orchestra in three: basses on one, violas on two and three, violins sing above."""
    score.choose((138, 174), 55, (MAJOR, MAJOR, MINOR), ((0, 0, 4, 4, 4, 4, 0, 0), (0, 5, 1, 4)))
    rate, beat = score.rate, score.beat
    bow = darker(SAW, score.rng.uniform(6, 10))
    melody = score.walk(7, 16)
    for bar, (start, degree) in enumerate(score.bars(3)):
        bass = play_on.ensemble(rate, score.note(degree - 14), 1.2 * beat, bow, 0.04, 0.15)
        score.play(bass, start, 1.0, 0.4, 0.3)
        for chord_beat in (1, 2):
            for i, midi in enumerate(score.chord(degree)):
                sound = play_on.ensemble(rate, midi, 0.6 * beat, bow, 0.03, 0.1)
                score.play(sound, start + chord_beat * beat, 0.35, 0.3 * (i - 1), 0.3)
        if bar % 2 and score.happens(0.3):
            continue  # the note of the bar before is held
        at = start
        for length in score.pick(((6,), (3, 3), (2, 1, 3), (3, 1, 1, 1), (2, 1, 2, 1))):
            midi = score.note(next(melody))
            for octave, gain in ((0, 0.8), (-12, 0.4)):
                tone = play_on.ensemble(rate, midi + octave, length * beat, bow, 0.09, 0.12)
                score.play(tone, at, gain, -0.4, 0.4)
            at += length * beat
    return score.mixed(1.8, 4_500)


def drum_and_bass(score: Score) -> Mix:
    """Fast broken beat, a growling bass below it, held chords far behind."""
    score.choose((168, 178), 41, (MINOR, DORIAN), ((0, 0, 5, 5), (0, 0, 3, 6), (0, 5, 0, 4)))
    rate, sixteenth = score.rate, score.beat / 4
    kick = play_on.kick(rate, 52, 0.5, 14)
    snare = play_on.snare(rate, score.rng.uniform(190, 230), 0.9, 20)
    hat = play_on.cymbal(rate, 60, 0.2)
    kicks = score.pick(((0, 10), (0, 2, 10), (0, 7, 10)))
    ghosts = score.pick(((7, 9, 15), (9, 14), (6, 7, 15)))
    growl = darker(SAW, score.rng.uniform(5, 8))
    pad = darker(SAW, 5)
    for start, degree in score.bars(4):
        for step in range(16):
            at = start + step * sixteenth
            score.play(hat, at, 0.5 if step % 4 == 2 else 0.3, 0.3)
            if step in kicks:
                score.play(kick, at, 1.0)
            if step in (4, 12):
                score.play(snare, at, 0.9, 0, 0.1)
            elif step in ghosts:
                score.play(snare, at, 0.25)
        root = score.note(degree) - 12
        at = start
        for length in score.pick(((10, 6), (6, 4, 6), (3, 3, 4, 6), (16,))):
            sound = play_on.ensemble(rate, root, length * sixteenth, growl, 0.005, 0.03)
            score.play(sound, at, 0.6)
            sub = play_on.tone(rate, root, length * sixteenth, (1.0,))
            score.play(sub, at, 0.3)
            at += length * sixteenth
        for i, midi in enumerate(score.chord(degree, 4)):
            sound = play_on.ensemble(rate, midi + 24, 16 * sixteenth, pad, 0.2, 0.2)
            score.play(sound, start, 0.08, 0.5 * (-1) ** i, 0.8)
    return score.mixed(1.5, 14_000)


def metal(score: Score) -> Mix:
    """Palm-muted sixteenths and ringing power chords, doubled left and right, double bass drum."""
    score.choose((140, 190), 33, (MINOR, PHRYGIAN), ((0, 0, 5, 6), (0, 1, 0, 6), (0, 0, 3, 1)))
    score.key = 36 + score.key % 6
    rate, sixteenth = score.rate, score.beat / 4
    drive = score.rng.uniform(7, 12)
    chug = score.pick(
        ("xxxxxxO.xxxxO.O.", "xxxxO...xxxxO...", "x.xxx.xxx.xxO.O.", "O..xxxxxO..xxxxx")
    )
    drums = score.pick((range(0, 16, 2), range(16), (0, 2, 3, 4, 6, 8, 10, 11, 12, 14)))
    kick, snare = play_on.kick(rate, 55, 0.9, 16), play_on.snare(rate, 200, 1.0, 14)
    crash = play_on.cymbal(rate, 5, 0.3)
    for start, degree in score.bars(4):
        root = score.note(degree)
        for step, stroke in enumerate(chug):
            at = start + step * sixteenth
            if stroke != ".":
                muted = stroke == "x"
                length = sixteenth if muted else 4 * sixteenth
                midi = root if muted else score.note(degree + score.pick((0, 0, 1, 2)))
                for side in (-0.9, 0.9):
                    guitar = play_on.power_chord(rate, midi + 0.04 * side, length, drive, muted)
                    score.play(guitar, at + 0.004 * (side + 1), 0.8, side, 0.05)
                bass = play_on.tone(rate, midi - 12, length, darker(SAW, 6), decay=2.0)
                score.play(bass, at, 0.2)
            if step in drums:
                score.play(kick, at, 0.5)
            if step in (4, 12):
                score.play(snare, at, 0.9, 0, 0.15)
            if step % 4 == 0:
                score.play(crash, at, 0.35, 0.4)
    return score.mixed(0.8, 9_000)


REGGAE_RIFFS = (  # (beat, scale step) of the notes of a bar
    ((0, 0), (1.5, 2), (2, 4)),
    ((0.5, 0), (1, 0), (2.5, 4), (3, 2)),
    ((1, 4), (2, 0), (3, -3)),
)


def reggae(score: Score) -> Mix:
    """One drop: guitar and organ off the beat, a round bass that leaves gaps, rim on three."""
    score.choose((132, 156), 55, (MINOR, MAJOR, DORIAN), ((0, 3), (0, 0, 3, 4), (0, 6, 5, 6)))
    rate, beat = score.rate, score.beat
    kick, rim = play_on.kick(rate, 50, 0.1, 8), play_on.rim(rate)
    hat = play_on.cymbal(rate, 45, 0.3)
    guitar = darker(pulse(0.2), score.rng.uniform(8, 14))
    round_bass = darker(TRIANGLE, 2.5)
    riff = score.pick(REGGAE_RIFFS)
    lead = score.walk(7, 14)
    for bar, (start, degree) in enumerate(score.bars(4)):
        for quarter in range(4):
            at = start + quarter * beat
            score.play(hat, at + 0.62 * beat, 0.3, 0.3)
            score.play(hat, at, 0.2, 0.3)
            for midi in score.chord(degree):
                if quarter % 2:
                    skank = play_on.tone(rate, midi + 12, 0.09, guitar, 0.002, 0.03, 12.0)
                    score.play(skank, at, 0.45, -0.5, 0.15)
                bubble = play_on.tone(rate, midi, 0.12, ORGAN, 0.004, 0.03)
                score.play(bubble, at + 0.62 * beat, 0.16, 0.5, 0.1)
        score.play(kick, start + 2 * beat, 0.8)
        score.play(rim, start + 2 * beat, 0.8, 0, 0.5)
        for offset, step in riff:
            sound = play_on.tone(
                rate, score.note(degree + step) - 24, 0.9 * beat, round_bass, 0.01, 0.06
            )
            score.play(sound, start + offset * beat, 0.7)
        if bar % 4 >= 2:
            for eighth in (0, 1.5, 2, 3):
                if score.happens(0.6):
                    horn = play_on.tone(
                        rate, score.note(next(lead)), beat, darker(SAW, 7), 0.04, 0.1, 0, 0.2
                    )
                    score.play(horn, start + eighth * beat, 0.25, 0.1, 0.5)
    return score.mixed(1.2, 7_000)


def chiptune(score: Score) -> Mix:
    """Four voices of an early console: two pulse waves, a triangle bass, and noise for drums."""
    score.choose(
        (132, 168), 60, (MAJOR, MINOR, MIXOLYDIAN), ((0, 5, 3, 4), (0, 4, 5, 3), (0, 6, 5, 4))
    )
    rate, beat = score.rate, score.beat
    lead_wave, arpeggio_wave = score.pick(
        ((pulse(0.25), pulse(0.5)), (pulse(0.5), pulse(0.125)), (pulse(0.125), pulse(0.25)))
    )
    low_drum, high_drum = play_on.crunch(rate, 8, 22), play_on.crunch(rate, 2, 45)
    melody = score.walk(5, 14)
    rhythm = score.pick(
        ((1, 0.5, 0.5, 1, 1), (0.5,) * 8, (0.75, 0.75, 0.5, 1, 1), (1.5, 0.5, 1, 0.5, 0.5))
    )
    for start, degree in score.bars(4):
        notes = score.chord(degree)
        for step in range(32):
            blip = play_on.tone(rate, notes[step % 3], beat / 8, arpeggio_wave, 0.001, 0.004)
            score.play(blip, start + step * beat / 8, 0.28, 0.4)
        for eighth in range(8):
            at = start + eighth * beat / 2
            midi = score.note(degree) - (24 if eighth % 2 == 0 else 12)
            score.play(play_on.tone(rate, midi, 0.45 * beat, TRIANGLE, 0.001, 0.005), at, 0.8)
            score.play(high_drum, at, 0.2)
            if eighth in (2, 6):
                score.play(low_drum, at, 0.5)
        at = start
        for length in rhythm:
            tune = play_on.tone(
                rate,
                score.note(next(melody)),
                0.9 * length * beat,
                lead_wave,
                0.001,
                0.01,
                1.0,
                0.15,
            )
            score.play(tune, at, 0.5, -0.3)
            at += length * beat
    return score.mixed(0, 14_000)


def ambient(score: Score) -> Mix:
    """No beat: chords that swell over each other, and far bells in a very long room."""
    score.choose((50, 66), 48, (DORIAN, MAJOR, MINOR), ((0, 3, 5, 4), (0, 4, 1, 5), (0, 2, 5, 3)))
    rate, span = score.rate, 7 * score.beat
    veil = darker(SAW, score.rng.uniform(2, 4))
    ratio = score.pick((1.41, 2.76, 3.5))
    bells = score.walk(10, 21)
    for start, degree in score.bars(6):
        low, *upper = score.chord(degree, 4)
        for i, midi in enumerate((low - 12, low, *upper)):
            sound = play_on.ensemble(rate, midi, 1.4 * span, veil, 0.6 * span, 0.7 * span)
            score.play(sound, start, 0.5, 0.6 * (-1) ** i, 0.7)
        ground = play_on.tone(
            rate, score.note(degree) - 24, 1.4 * span, (1.0, 0.2), span / 2, span / 2
        )
        score.play(ground, start, 0.7)
        for _ in range(int(score.rng.integers(1, 4))):
            sound = play_on.bell(rate, score.note(next(bells)), 3.0, ratio, 1.5)
            score.play(
                sound, start + score.rng.uniform(0, span), 0.12, score.rng.uniform(-1, 1), 1.0
            )
    return score.mixed(4.5, 2_500, 4.0)


def blues_shuffle(score: Score) -> Mix:
    """Twelve bars: walking bass, swung ride, a piano that answers, a plucked guitar that solos."""
    score.choose(
        (104, 132),
        52,
        (MIXOLYDIAN,),
        ((0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 3, 0, 0, 3, 3, 0, 0, 4, 3, 0, 0)),
    )
    rate, beat = score.rate, score.beat
    ride, hat = play_on.cymbal(rate, 8, 0.5), play_on.cymbal(rate, 40, 0.3)
    snare, kick = play_on.snare(rate, 170, 0.5, 22), play_on.kick(rate, 50, 0.1, 12)
    line = score.pick(((0, 2, 4, 5), (0, 2, 4, 2), (0, 4, 5, 6)))
    sustain = score.rng.uniform(0.992, 0.997)
    home = score.key
    solo = score.walk(3, 13)
    for start, degree in score.bars(4):
        for quarter, step in enumerate(line):
            at = start + quarter * beat
            bass = play_on.pluck(rate, score.note(degree + step) - 24, 1.1 * beat, 6, 0.996)
            score.play(bass, at, 1.1, 0.1)
            score.play(ride, at, 0.3, 0.4)
            score.play(ride, at + 0.67 * beat, 0.18, 0.4)
            if quarter % 2:
                score.play(snare, at, 0.35, 0, 0.1)
                score.play(hat, at, 0.3, 0.3)
                for midi in (*score.chord(degree), score.note(degree + 6)):
                    sound = play_on.piano(rate, midi, 0.3, 3.0)
                    score.play(sound, at + 0.67 * beat, 0.3, -0.4, 0.1)
            else:
                score.play(kick, at, 0.6)
            for swung in (0, 0.67):
                if score.happens(0.55):
                    octave, step = divmod(next(solo), len(BLUES))
                    lick = play_on.pluck(rate, home + 12 * octave + BLUES[step], 0.7, 1, sustain)
                    score.play(lick, at + swung * beat, score.rng.uniform(0.4, 0.7), -0.1, 0.2)
    return score.mixed(0.7, 7_500)


STYLES: dict[str, Callable[[Score], Mix]] = {
    "Nocturne": nocturne,
    "Waltz": waltz,
    "Drum and Bass": drum_and_bass,
    "Metal": metal,
    "Reggae": reggae,
    "Chiptune": chiptune,
    "Ambient": ambient,
    "Blues": blues_shuffle,
}
"""Genre tag → the function that composes it."""
