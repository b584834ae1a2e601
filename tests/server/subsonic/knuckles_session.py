"""A player's session with knuckles, run by a Python of its own: see test_subsonic_clients.

Usage: HOST:PORT USER PASSWORD FILE; writes a song to FILE and prints what it found as JSON.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from knuckles import Subsonic


def main(where: str, user: str, password: str, file: str) -> None:
    """Browse, search, ask for similar songs, hear and like."""
    client = Subsonic(where, user, password, "test", use_https=False)
    found = {"ping": client.system.ping().status}
    songs = {song.title: song.id for song in client.searching.search("", song_count=100).songs}
    found["songs"] = songs
    artists = {one.name: one.id for one in client.browsing.get_artists()}
    first, last = songs["First Light"], songs["Fourth"]
    found["albums"] = [one.name for one in client.browsing.get_artist(artists["Anna"]).albums]
    newest = client.lists.get_album_list_newest(5)
    found["newest"] = [one.name for one in newest]
    found["song"] = client.browsing.get_song(first).title
    found["similar"] = [song.id for song in client.browsing.get_similar_songs_non_id3(first, 3)]
    found["similar2"] = [song.id for song in client.browsing.get_similar_songs(last, 3)]
    client.media_retrieval.download(first, Path(file), use_stream=True)
    try:
        made = client.playlists.create_playlist("Knuckles", song_ids=[first, last])
    except KeyError:  # servers of before 1.14 answer with nothing
        [made] = [one for one in client.playlists.get_playlists() if one.name == "Knuckles"]
    found["playlist"] = [song.id for song in client.playlists.get_playlist(made.id).songs]
    client.media_annotation.star_song(first)
    client.media_annotation.set_rating(last, 5)
    client.media_annotation.scrobble([first, last], [datetime(2026, 1, 2, tzinfo=UTC)] * 2)
    found["starred"] = [song.id for song in client.lists.get_starred().songs]
    json.dump(found, sys.stdout)


main(*sys.argv[1:])
