"""What players see, hear and change."""

from pathlib import Path
from typing import Any

import mutagen
import pytest
from fastapi.testclient import TestClient

from recommender.catalog import Catalog
from recommender.playlists.files import read_playlist
from recommender.recommendation.mix_request import MixRequest, SeedSet
from recommender.server.music_library import album_id_of, artist_id_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def titles(songs: list[dict[str, Any]]) -> list[str]:
    return [song["title"] for song in songs]


def test_artists_lead_to_albums_and_these_to_songs(reader: TestClient, call: Any) -> None:
    index = call(reader, "getArtists")["artists"]["index"]
    artists = {one["name"]: one["id"] for letter in index for one in letter["artist"]}
    assert {"Anna", "Bela"} <= artists.keys()
    albums = call(reader, "getArtist", id=artists["Anna"])["artist"]["album"]
    assert [album["name"] for album in albums] == ["Lights"]
    album = call(reader, "getAlbum", id=albums[0]["id"])["album"]
    assert titles(album["song"]) == ["First Light", "Second Light"]
    assert (album["songCount"], album["year"]) == (2, 1999)
    assert all(song["albumId"] == album["id"] for song in album["song"])
    assert "path" not in album["song"][0]


def test_search_without_words_pages_through_every_song(
    reader: TestClient, call: Any, ids: dict[str, int]
) -> None:
    found: list[str] = []
    while page := call(reader, "search3", query="", songCount=4, songOffset=len(found))[
        "searchResult3"
    ]["song"]:
        found += [song["id"] for song in page]
    assert found == [str(id) for id in sorted(ids.values())]
    words = call(reader, "search3", query="LIGHT anna*")["searchResult3"]
    assert set(titles(words["song"])) == {"First Light", "Second Light"}
    assert [album["name"] for album in words["album"]] == ["Lights"]


def test_files_are_sent_whole_and_in_ranges(
    reader: TestClient, ids: dict[str, int], music: Any
) -> None:
    wanted = (music.folder / "one.flac").read_bytes()
    address = f"/rest/stream.view?id={ids['First Light']}"
    assert reader.get(address).content == wanted
    part = reader.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, wanted[100:200])
    saved = reader.get(f"/rest/download?id={ids['First Light']}")
    assert saved.headers["content-disposition"].startswith("attachment")
    head = reader.head(address)
    assert (int(head.headers["content-length"]), head.content) == (len(wanted), b"")


def test_what_is_not_there_is_error_70(reader: TestClient, code: Any, ids: dict[str, int]) -> None:
    for method in ("getSong", "getAlbum", "getArtist", "getMusicDirectory", "stream", "download"):
        for wanted in ("999999", "nosuch", "../../etc/passwd", "9" * 400):
            assert code(reader, method, id=wanted) == 70
    assert code(reader, "getPlaylist", id="4000") == 70
    assert code(reader, "deletePlaylist", id="x") == 70
    assert code(reader, "getCoverArt", id=str(ids["Third"])) == 70
    assert code(reader, "getAlbumList2", type="nosuch") == 0
    assert code(reader, "getSimilarSongs", id=str(ids["Third"]), count="many") == 0


def test_a_method_that_there_is_not(reader: TestClient) -> None:
    answer = reader.get("/rest/getLyrics?f=json")
    assert answer.status_code == 404
    assert answer.json()["subsonic-response"]["status"] == "failed"


def test_covers_are_those_of_the_tags(tmp_path: Path, music: Any, serve: Any) -> None:
    file = mutagen.File(music.folder / "two.flac")
    picture = mutagen.flac.Picture()
    picture.type, picture.mime, picture.data = 3, "text/html", PNG
    file.add_picture(picture)
    file.save()
    with Catalog.open(music.database) as catalog:
        track = catalog.track_at(music.folder / "two.flac")
    assert track is not None
    client = serve()
    try:
        for wanted in (track.id, album_id_of("Lights", "Anna"), artist_id_of("Anna")):
            answer = client.get("/rest/getCoverArt", params={"id": wanted, "size": 50})
            assert answer.content == PNG
            assert answer.headers["content-type"] == "image/png"
    finally:
        file.clear_pictures()
        file.save()


def test_similar_songs_of_a_song_an_album_and_an_artist(
    reader: TestClient, call: Any, ids: dict[str, int]
) -> None:
    own = {
        str(ids["First Light"]): {"First Light"},
        album_id_of("Lights", "Anna"): {"First Light", "Second Light"},
        artist_id_of("Anna"): {"First Light", "Second Light", "Third"},
    }
    for wanted, seeds in own.items():
        for method, name in (
            ("getSimilarSongs", "similarSongs"),
            ("getSimilarSongs2", "similarSongs2"),
        ):
            songs = call(reader, method, id=wanted, count=3)[name]["song"]
            assert len(songs) == 3
            assert seeds.isdisjoint(titles(songs))
    assert call(reader, "getSimilarSongs", id=str(ids["Third"]), count=0)["similarSongs"] == {
        "song": []
    }


def test_sonic_similarities_are_from_0_to_1_and_fall(
    reader: TestClient, call: Any, ids: dict[str, int]
) -> None:
    first, fourth = str(ids["First Light"]), str(ids["Fourth"])
    like = call(reader, "getSonicSimilarTracks", id=first, count=6)["sonicMatch"]
    path = call(reader, "findSonicPath", startSongId=first, endSongId=fourth, count=4)["sonicMatch"]
    for matches in (like, path):
        values = [one["similarity"] for one in matches]
        assert values == sorted(values, reverse=True)
        assert all(0 <= value <= 1 for value in values)
    assert first not in [one["entry"]["id"] for one in like]
    ends = path[0]["entry"]["id"], path[-1]["entry"]["id"]
    assert ends == (first, fourth)
    assert path[0]["similarity"] == pytest.approx(1)
    assert len(path) <= 4
    none = call(reader, "getSonicSimilarTracks", id=first, count=0)
    assert none["sonicMatch"] == []
    itself = call(reader, "findSonicPath", startSongId=first, endSongId=first)["sonicMatch"]
    assert [(one["entry"]["id"], one["similarity"]) for one in itself] == [(first, 1.0)]


def test_playlists_are_the_catalogues(
    client: TestClient, call: Any, code: Any, ids: dict[str, int], database: Path
) -> None:
    one, two, three = (str(ids[title]) for title in ("First Light", "Fourth", "Third"))
    made = call(client, "createPlaylist", name="Evening", songId=[one, two, one])["playlist"]
    assert [song["id"] for song in made["entry"]] == [one, two, one]
    changed = {"playlistId": made["id"], "songIndexToRemove": [0], "songIdToAdd": [three]}
    call(client, "updatePlaylist", name="Morning", comment="calm", **changed)
    found = call(client, "getPlaylist", id=made["id"])["playlist"]
    assert [song["id"] for song in found["entry"]] == [two, one, three]
    assert (found["name"], found["comment"], found["id"]) == ("Morning", "calm", made["id"])
    with Catalog.open(database) as catalog:
        assert catalog.playlist("Morning").track_ids == tuple(map(int, (two, one, three)))
    call(client, "createPlaylist", name="Other", songId=one)
    assert code(client, "updatePlaylist", playlistId=made["id"], name="Other") == 0
    assert code(client, "createPlaylist", name="Bad", songId="nosuch") == 70
    call(client, "createPlaylist", playlistId=made["id"], songId=[three])
    listed = call(client, "getPlaylists")["playlists"]["playlist"]
    assert [(one["name"], one["songCount"]) for one in listed] == [("Morning", 1), ("Other", 1)]
    call(client, "deletePlaylist", id=made["id"])
    assert code(client, "getPlaylist", id=made["id"]) == 70


def test_a_playlist_of_a_recipe_is_edited_not_replaced(
    client: TestClient, call: Any, code: Any, ids: dict[str, int], database: Path
) -> None:
    one, two = str(ids["First Light"]), str(ids["Fourth"])
    recipe = MixRequest("mix", SeedSet((ids["Third"],))).as_dict()
    file = database.with_name("evening.m3u8")
    with Catalog.open(database) as catalog:
        made = catalog.save_playlist("Evening", [ids["Third"]], recipe=recipe, target=file)
    assert code(client, "createPlaylist", name="Evening", songId=one) == 0

    def stored() -> list[int]:
        with Catalog.open(database) as catalog:
            assert catalog.playlist("Evening").recipe == recipe
            return [track.id for track in read_playlist(catalog, file).tracks]

    call(client, "createPlaylist", playlistId=str(made.id), songId=[one])
    assert stored() == [ids["First Light"]]
    call(client, "updatePlaylist", playlistId=str(made.id), songIdToAdd=[two])
    assert stored() == [ids["First Light"], ids["Fourth"]]


def test_plays_stars_and_ratings_reach_the_history(
    client: TestClient, call: Any, code: Any, ids: dict[str, int], database: Path
) -> None:
    one, two, third = ids["First Light"], ids["Second Light"], ids["Third"]
    call(client, "scrobble", id=[one, two], time=[1_700_000_000_000, 1_700_000_200_000])
    call(client, "scrobble", id=third, submission="false")
    assert code(client, "scrobble", id=one, time="99") == 0
    call(client, "star", id=third)
    call(client, "setRating", id=one, rating=5)
    call(client, "setRating", id=two, rating=3)
    with Catalog.open(database) as catalog:
        plays = catalog.history(kinds=["play"])
        assert [(play.track_id, play.at.timestamp()) for play in plays] == [
            (one, 1_700_000_000),
            (two, 1_700_000_200),
        ]
        assert set(catalog.likes()) == {third, one}
    starred = call(client, "getStarred2")["starred2"]
    assert {song["id"] for song in starred["song"]} == {str(third), str(one)}
    assert starred["album"] == []
    call(client, "star", albumId=album_id_of("Lights", "Anna"))
    assert titles_of_albums(call(client, "getStarred2")) == ["Lights"]
    call(client, "unstar", id=[one, two, third])
    assert call(client, "getStarred2")["starred2"]["song"] == []
    assert code(client, "star", artistId=artist_id_of("Anna")) == 0


def titles_of_albums(content: dict[str, Any]) -> list[str]:
    return [album["name"] for album in content["starred2"]["album"]]


def test_users_have_playlists_and_stars_of_their_own(
    serve: Any, database: Path, call: Any, ids: dict[str, int]
) -> None:
    from recommender.server.users import UserStore

    store = UserStore(database.with_name("catalog.db.users.json"))
    anna, bela = store.add("anna").api_key, store.add("bela").api_key
    client = serve()
    call(client, "star", id=ids["Third"], apiKey=anna)
    call(client, "createPlaylist", name="Mine", songId=ids["Third"], apiKey=anna)
    assert len(call(client, "getStarred2", apiKey=anna)["starred2"]["song"]) == 1
    assert call(client, "getStarred2", apiKey=bela)["starred2"]["song"] == []
    assert call(client, "getPlaylists", apiKey=bela)["playlists"]["playlist"] == []
