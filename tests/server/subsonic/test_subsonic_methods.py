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


def test_a_song_has_its_isrcs(reader: TestClient, call: Any, ids: dict[str, int]) -> None:
    song = call(reader, "getSong", id=ids["First Light"])["song"]
    assert song["isrc"] == ["USRC17600001", "GBAYE0600001"]
    xml = reader.get("/rest/getSong", params={"id": ids["First Light"]}).text
    assert "<isrc>USRC17600001</isrc><isrc>GBAYE0600001</isrc>" in xml
    assert call(reader, "getSong", id=ids["Third"])["song"].get("isrc", []) == []
    track = reader.get(f"/api/v1/tracks/{ids['First Light']}").json()["track"]
    assert track["isrcs"] == song["isrc"]


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


LISTS = {
    "newest", "alphabeticalByName", "alphabeticalByArtist", "byYear", "byGenre", "random",
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(LISTS))
def test_lists_of_albums_are_the_same_by_folders_and_by_tags(
    reader: TestClient, call: Any, kind: str
) -> None:
    given = {"type": kind, "genre": "folk", "fromYear": 1990, "toYear": 2000}
    by_tags = call(reader, "getAlbumList2", **given)["albumList2"]["album"]
    by_folders = call(reader, "getAlbumList", **given)["albumList"]["album"]
    assert {one["id"] for one in by_tags} == {one["id"] for one in by_folders}
    assert "Lights" in [one["name"] for one in by_tags]
    assert all(one["isDir"] for one in by_folders)


def test_genres_and_years_choose_songs(reader: TestClient, call: Any) -> None:
    genres = call(reader, "getGenres")["genres"]["genre"]
    for genre in genres:
        given = {"genre": genre["value"].upper(), "count": 100, "size": 100}
        songs = call(reader, "getSongsByGenre", **given)["songsByGenre"]["song"]
        assert len(songs) == genre["songCount"]
        drawn = call(reader, "getRandomSongs", **given)["randomSongs"]["song"]
        assert {song["id"] for song in drawn} == {song["id"] for song in songs}
    of_year = call(reader, "getRandomSongs", fromYear=1999, toYear=1999)["randomSongs"]["song"]
    assert set(titles(of_year)) == {"First Light", "Second Light"}
    assert call(reader, "getSongsByGenre", genre="nosuch")["songsByGenre"]["song"] == []


def test_a_folder_of_music_is_listed_alone(reader: TestClient, call: Any, code: Any) -> None:
    folder = call(reader, "getMusicFolders")["musicFolders"]["musicFolder"][0]["id"]
    for wanted, is_there in ((folder, True), (4711, False)):
        albums = call(reader, "getAlbumList2", type="newest", musicFolderId=wanted)["albumList2"]
        songs = call(reader, "search3", query="", musicFolderId=wanted)["searchResult3"]
        drawn = call(reader, "getRandomSongs", musicFolderId=wanted)["randomSongs"]
        assert [bool(albums["album"]), bool(songs["song"]), bool(drawn["song"])] == [is_there] * 3


def test_an_artist_leads_to_those_that_sound_like_it(
    reader: TestClient, call: Any, code: Any, ids: dict[str, int]
) -> None:
    anna = artist_id_of("Anna")
    like = call(reader, "getArtistInfo2", id=anna, count=1)["artistInfo2"]["similarArtist"]
    assert len(like) == 1
    assert like[0]["id"] != anna
    assert call(reader, "getArtist", id=like[0]["id"])["artist"]["name"] == like[0]["name"]
    for item in (ids["First Light"], album_id_of("Lights", "Anna"), anna):
        found = call(reader, "getArtistInfo", id=item, count=1)["artistInfo"]["similarArtist"]
        assert found == [{"id": like[0]["id"], "name": like[0]["name"]}]
    assert call(reader, "getArtistInfo2", id=anna, count=0)["artistInfo2"]["similarArtist"] == []
    assert code(reader, "getArtistInfo2", id="nosuch") == 70
    assert call(reader, "getAlbumInfo2", id=album_id_of("Lights", "Anna"))["albumInfo"] == {}
    assert code(reader, "getAlbumInfo2", id="nosuch") == 70


def test_top_songs_are_those_that_the_user_played_most(
    client: TestClient, call: Any, ids: dict[str, int]
) -> None:
    one, two = ids["First Light"], ids["Second Light"]
    assert call(client, "getTopSongs", artist="Anna")["topSongs"]["song"] == []
    times = [1_700_000_000_000 + 200_000 * number for number in range(4)]
    call(client, "scrobble", id=[two, one, two, ids["Fourth"]], time=times)
    for given in ({"artist": "anna"}, {"id": artist_id_of("Anna")}):
        songs = call(client, "getTopSongs", **given)["topSongs"]["song"]
        assert titles(songs) == ["Second Light", "First Light"]
    assert call(client, "getTopSongs", artist="Nobody")["topSongs"]["song"] == []
    frequent = call(client, "getAlbumList", type="frequent")["albumList"]["album"]
    assert frequent[0]["title"] == "Lights"


def test_a_queue_and_places_in_songs_are_kept_for_each_user(
    serve: Any, database: Path, call: Any, code: Any, ids: dict[str, int]
) -> None:
    from recommender.server.users import UserStore

    store = UserStore(database.with_name("catalog.db.users.json"))
    anna, bela = store.add("anna").api_key, store.add("bela").api_key
    client, one, two = serve(), str(ids["First Light"]), str(ids["Fourth"])
    assert "playQueue" not in call(client, "getPlayQueue", apiKey=anna)
    given = {"id": [two, one, two], "current": one, "position": 61_000, "c": "player"}
    call(client, "savePlayQueue", apiKey=anna, **given)
    call(client, "createBookmark", id=one, position=5_000, comment="solo", apiKey=anna)
    call(client, "createBookmark", id=one, position=6_000, apiKey=anna)
    assert code(client, "savePlayQueue", id=one, current=two, apiKey=anna) == 0
    assert code(client, "createBookmark", id="nosuch", position=1, apiKey=anna) == 70
    assert code(client, "createBookmark", id=one, apiKey=anna) == 10
    client = serve()  # another process
    queue = call(client, "getPlayQueue", apiKey=anna)["playQueue"]
    assert [song["id"] for song in queue["entry"]] == [two, one, two]
    assert (queue["current"], queue["position"], queue["changedBy"]) == (one, 61_000, "player")
    marks = call(client, "getBookmarks", apiKey=anna)["bookmarks"]["bookmark"]
    assert [(mark["entry"]["id"], mark["position"]) for mark in marks] == [(one, 6_000)]
    assert "playQueue" not in call(client, "getPlayQueue", apiKey=bela)
    assert call(client, "getBookmarks", apiKey=bela)["bookmarks"]["bookmark"] == []
    call(client, "deleteBookmark", id=one, apiKey=anna)
    assert call(client, "getBookmarks", apiKey=anna)["bookmarks"]["bookmark"] == []
    call(client, "savePlayQueue", apiKey=anna)
    assert "playQueue" not in call(client, "getPlayQueue", apiKey=anna)


def test_notes_of_players_that_are_damaged_name_no_path(
    client: TestClient, database: Path, call: Any, ids: dict[str, int]
) -> None:
    call(client, "savePlayQueue", id=ids["Third"])
    notes = database.with_name("catalog.db.players.json")
    notes.write_text("{")
    answer = client.get("/rest/getPlayQueue?f=json")
    assert answer.json()["subsonic-response"]["error"]["code"] == 0
    assert str(notes) not in answer.text


def test_what_is_playing_is_told_until_its_end(
    client: TestClient, call: Any, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(client, "scrobble", id=ids["Third"], submission="false", c="player")
    entry = call(client, "getNowPlaying")["nowPlaying"]["entry"]
    assert [(one["title"], one["playerName"]) for one in entry] == [("Third", "player")]
    monkeypatch.setattr("recommender.server.subsonic.queues._GRACE_S", -1000.0)
    assert call(client, "getNowPlaying")["nowPlaying"]["entry"] == []
