"""Methods that send files: sounds as they are, and the pictures in their tags."""

from fastapi.responses import Response

from recommender.audio.cover import Cover, read_cover
from recommender.recommendation.service import SimilarityService
from recommender.server.open_file import open_file
from recommender.server.streaming import track_file_response
from recommender.server.subsonic.answers import ErrorCode, SubsonicError
from recommender.server.subsonic.calls import Call, FileMethod, Music

_KEPT = {"Cache-Control": "private, max-age=86400"}
_MOST_TRIED = 3
"""Songs of an album or an artist that are looked into."""


async def stream(call: Call) -> Response:
    """The file of a song, or a range of it; nothing is transcoded.

    A song that a cue sheet makes of a part of a file is cut from it.
    """
    return await _file(call, inline=True)


async def download(call: Call) -> Response:
    """Likewise, to be saved."""
    return await _file(call, inline=False)


async def _file(call: Call, *, inline: bool) -> Response:
    wanted = call.parameters.required("id")

    def found(service: SimilarityService) -> int:
        return Music(call, service).track(wanted).id

    track_id = await call.state.run_file(found)
    return await track_file_response(call.request, track_id, inline=inline)


async def get_cover_art(call: Call) -> Response:
    """The picture in the tags of a song, or of one of an album or an artist; of any size."""
    wanted = call.parameters.required("id")

    def found(service: SimilarityService) -> Cover | None:
        music = Music(call, service)
        libraries = service.catalog.libraries()
        for track in music.tracks_by_id(music.track_ids_of(wanted)[:_MOST_TRIED]):
            file = open_file(track, libraries)
            try:
                with file.path.open("rb") as opened:
                    cover = read_cover(opened)
            except OSError:
                cover = None
            finally:
                file.close()
            if cover is not None:
                return cover
        return None

    cover = await call.state.run_file(found)
    if cover is None:
        raise SubsonicError(ErrorCode.NOT_FOUND, "There is no picture in the tags.")
    return Response(cover.data, headers=_KEPT, media_type=cover.media_type)


METHODS: dict[str, FileMethod] = {
    "stream": stream,
    "download": download,
    "getCoverArt": get_cover_art,
}
