"""A session in XML with pysubsonic, run by a Python of its own: see test_subsonic_clients.

Usage: ADDRESS USER PASSWORD; prints what it found as JSON.
"""

import json
import sys

from bs4 import BeautifulSoup
from pysubsonic.api import pysubsonic


def main(address: str, user: str, password: str) -> None:
    """Search, ask for similar songs, make a playlist, like."""
    client = pysubsonic(address, user, password)

    def elements(method: str, tag: str, **given: object) -> list:
        """As the client parses answers itself."""
        text = client.do_request(method, "&".join(f"{key}={value}" for key, value in given.items()))
        return BeautifulSoup(text, "xml").find_all(tag)

    root = elements("ping", "subsonic-response")[0]
    found = {"ping": root["status"], "openSubsonic": root.get("openSubsonic")}
    extensions = elements("getOpenSubsonicExtensions", "openSubsonicExtensions")
    found["extensions"] = {one["name"]: one.versions.text for one in extensions}
    songs = {one["title"]: one["id"] for one in client.parse_search3("", "song")}
    found["songs"] = songs
    found["searched"] = client.get_song_ids("First Light")
    first, last = songs["First Light"], songs["Fourth"]
    found["artists"] = [one["name"] for one in elements("getArtists", "artist")]
    for name in ("getSimilarSongs", "getSimilarSongs2"):
        found[name] = [one["id"] for one in elements(name, "song", id=first, count=3)]
    sonic = elements("getSonicSimilarTracks", "sonicMatch", id=first, count=3)
    path = elements("findSonicPath", "sonicMatch", startSongId=first, endSongId=last, count=4)
    for name, matches in (("sonic", sonic), ("path", path)):
        found[name] = [(one.entry["id"], float(one.similarity.text)) for one in matches]
    client.create_playlist(name="XML", songid=first)
    made = client.get_playlist_id_by_name("XML")
    client.update_playlist(made, last)
    found["playlist"] = [one["id"] for one in client.get_songs_from_playlist(id=made)]
    found["holds"] = client.check_song_in_playlist("XML", "Fourth")
    found["star"] = elements("star", "subsonic-response", id=first)[0]["status"]
    found["starred"] = [one["id"] for one in elements("getStarred2", "song")]
    json.dump(found, sys.stdout)


main(*sys.argv[1:])
