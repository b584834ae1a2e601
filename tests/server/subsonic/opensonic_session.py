"""A player's session with py-opensonic, run by a Python of its own: see test_subsonic_clients.

Usage: ADDRESS USER PASSWORD [API_KEY] (`-` for no password); prints what it found as JSON.
"""

import json
import sys
from urllib.parse import urlsplit

from libopensonic import Connection


def main(address: str, user: str, password: str, api_key: str = "") -> None:
    """Browse, search, ask for similar songs, hear and like."""
    where = urlsplit(address)
    options = {"api_key": api_key} if api_key else {"username": user, "password": password}
    client = Connection(
        f"{where.scheme}://{where.hostname}", port=where.port, server_path=where.path, **options
    )
    found = {"ping": client.ping()}
    found["extensions"] = {one.name: one.versions for one in client.get_open_subsonic_extensions()}
    songs = client.search3("", song_count=100).song
    found["songs"] = {song.title: song.id for song in songs}
    index = client.get_artists().index
    artists = [one for letter in index for one in letter.artist]
    found["artists"] = [one.name for one in artists]
    albums = client.get_album_list2("alphabeticalByName")
    found["albums"] = [one.name for one in albums]
    found["album"] = [song.title for song in client.get_album(albums[0].id).song]
    anna = next(one.id for one in artists if one.name == "Anna")
    first, last = found["songs"]["First Light"], found["songs"]["Fourth"]
    found["similar"] = [song.id for song in client.get_similar_songs(first, 3)]
    found["similar2"] = [song.id for song in client.get_similar_songs2(anna, 3)]
    sonic = client.get_sonic_similar_tracks(first, 3)
    found["sonic"] = [(one.entry.id, one.similarity) for one in sonic]
    path = client.find_sonic_path(first, last, 4)
    found["path"] = [(one.entry.id, one.similarity) for one in path]
    if found["extensions"].get("formPost"):  # older servers answer less than this client wants
        client.create_playlist(name="From a player", song_ids=[first, last])
        lists = {one.name: one.id for one in client.get_playlists()}
        entries = client.get_playlist(lists["From a player"]).entry
        found["playlist"] = [song.id for song in entries]
    client.star(sids=[first])
    client.scrobble(first, listen_time=1_700_000_000)
    found["starred"] = [song.id for song in client.get_starred2().song]
    json.dump(found, sys.stdout)
    client.cleanup()


main(*sys.argv[1:])
