"""What a scan reads: the files that are known, and the tracks that lost theirs."""

import os
from dataclasses import replace

from catalogs import OTHER_SPACE, SPACE, analyse, analysis, hash_of, stat

from recommender.catalog import (
    Catalog,
    Library,
    TrackState,
)


def test_known_files_are_tracks_and_failures(catalog: Catalog, library: Library) -> None:
    analysed = analyse(catalog, library, "analysed.wav")
    broken = analyse(catalog, library, "broken.wav")
    with catalog.writing() as write:
        write.failed(library, stat("broken.wav", size=5), "unreadable", "no decoder")
        write.failed(library, stat("never.mp3", size=0), "empty", "no bytes")
    known = catalog.known_files(library, SPACE)
    assert set(known) == {"analysed.wav", "broken.wav", "never.mp3"}
    assert known["analysed.wav"].track_id == analysed
    assert known["analysed.wav"].analysed_in_space
    assert known["analysed.wav"].failure_kind is None
    assert known["analysed.wav"].stat == stat("analysed.wav")
    assert known["broken.wav"].track_id == broken
    assert known["broken.wav"].state is TrackState.FAILED
    assert known["broken.wav"].failure_kind == "unreadable"
    assert known["broken.wav"].stat == stat("broken.wav", size=5)
    assert known["broken.wav"].content_hash == hash_of("broken.wav")
    assert known["never.mp3"].track_id is None
    assert known["never.mp3"].state is None
    assert known["never.mp3"].failure_kind == "empty"
    assert not catalog.known_files(library, OTHER_SPACE)["analysed.wav"].analysed_in_space


def test_known_files_under_a_folder(catalog: Catalog, library: Library) -> None:
    inside = ["Rock/a.wav", "Rock/b/c.wav"]
    for path in [*inside, "rock/a.wav", "Rock 2/a.wav", "Rock.wav", "x/Rock/a.wav"]:
        analyse(catalog, library, path)
    assert set(catalog.known_files(library, SPACE, under="Rock")) == set(inside)
    assert set(catalog.known_files(library, SPACE, under="Rock.wav")) == {"Rock.wav"}
    odd = os.fsdecode(b"back\\slash\xff")
    analyse(catalog, library, f"{odd}/a.wav")
    assert set(catalog.known_files(library, SPACE, under=odd)) == {f"{odd}/a.wav"}


def test_hashes_of_tracks(catalog: Catalog, library: Library) -> None:
    heard = replace(analysis(), samples_hash="samples")
    ids = [
        analyse(catalog, library, "a", content_hash="same", analysed=heard),
        analyse(catalog, library, "b", content_hash="same"),
        analyse(catalog, library, "c", content_hash="other", analysed=analysis(1, OTHER_SPACE)),
    ]
    with catalog.writing() as write:
        write.missing(ids[:1])
    assert catalog.content_hashes() == dict(zip(ids, ("same", "same", "other"), strict=True))
    assert catalog.samples_hashes([*ids, 99], SPACE) == {ids[0]: "samples", ids[1]: None}
    with catalog.writing() as write:
        write.set_samples_hash(ids[1], SPACE, "more")
    assert catalog.samples_hashes(ids[1:], SPACE) == {ids[1]: "more"}
    found = catalog.analysis_of(ids[1], SPACE)
    assert found is not None
    assert found.samples_hash == "more"
