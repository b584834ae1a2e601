"""The page in a browser: what a listener does with it, and what must do no harm."""

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import browser
import pytest
from browser import until
from serving_process import server_process
from shown_library import HOSTILE, Library

from recommender.server.users import UserStore

pytestmark = pytest.mark.slow

MAP = "document.querySelector('.map')?.dataset.drawn"
ROWS = "document.querySelectorAll('.pane .row').length"
AUDIO_AT = "document.querySelector('.player-seek').valueAsNumber"


def opened(page: Any, library: Library, where: str = "") -> None:
    """Open the page, and wait for the map."""
    page.get(f"{library.address}/{where}")
    until(page, MAP)


def click(page: Any, selector: str) -> None:
    """Click the first element that fits, once it is there."""
    until(page, f"document.querySelector({json.dumps(selector)})")
    page.execute_script(f"document.querySelector({json.dumps(selector)}).click()")


def typed(page: Any, text: str) -> None:
    """Type into the search field."""
    page.execute_script("document.getElementById('search').value = ''")
    page.find_element("id", "search").send_keys(text)


def pressed(page: Any, key: str) -> None:
    """Press a key on the page as a whole."""
    page.find_element("tag name", "body").send_keys(key)


def plays(page: Any) -> bool:
    """Whether the player says that it plays."""
    return bool(
        page.execute_script("return document.querySelector('.player-play').ariaLabel === 'Pause'")
    )


def title(page: Any) -> str:
    """What the player shows."""
    return str(
        page.execute_script("return document.querySelector('.player-title')?.textContent ?? ''")
    )


def test_search_and_play(page: Any, library: Library) -> None:
    opened(page, library)
    typed(page, "piece 1")
    until(page, "+document.querySelector('[data-results]')?.dataset.results > 9")
    typed(page, "piece 12")
    until(page, "+document.querySelector('[data-results]')?.dataset.results === 1")
    click(page, ".pane .row-play")
    until(page, f"{AUDIO_AT} > 0")
    assert plays(page)
    assert title(page) == "Piece 12"
    pressed(page, " ")
    until(page, "document.querySelector('.player-play').ariaLabel === 'Play'")
    session = page.execute_script("return navigator.mediaSession.metadata?.title")
    assert session == "Piece 12"


def test_neighbours_radio_and_a_queue_that_survives(page: Any, library: Library) -> None:
    track = library.ids["Piece 9"]
    opened(page, library, f"#/track/{track}")
    until(page, "document.querySelectorAll('.likeness').length > 3")
    click(page, "[data-action=radio]")
    until(page, f"{AUDIO_AT} > 0")
    pressed(page, "q")
    until(page, f"{ROWS} > 5")
    before = page.execute_script(
        "return [...document.querySelectorAll('.row')].map(r => r.dataset.track)"
    )
    assert before[0] == str(track)
    pressed(page, "j")
    until(page, f"document.querySelector('.row.is-current')?.dataset.track === '{before[1]}'")
    page.refresh()
    until(page, f"{ROWS} > 5")
    after = page.execute_script(
        "return [...document.querySelectorAll('.row')].map(r => r.dataset.track)"
    )
    assert after[: len(before)] == before
    assert (
        page.execute_script("return document.querySelector('.row.is-current').dataset.track")
        == before[1]
    )


def test_a_path_is_drawn_and_saved_as_a_playlist(page: Any, library: Library) -> None:
    start, end = library.ids["Piece 5"], library.ids["Piece 20"]
    opened(page, library, f"#/track/{start}")
    click(page, "[data-action=path]")
    until(page, "document.querySelector('.picker input')")
    page.find_element("css selector", ".picker input").send_keys("Piece 20")
    click(page, ".choice")
    until(page, f"{ROWS} > 2")
    ids = page.execute_script(
        "return [...document.querySelectorAll('.row')].map(r => +r.dataset.track)"
    )
    assert (ids[0], ids[-1]) == (start, end)
    page.execute_script(
        "[...document.querySelectorAll('.button')]"
        ".find(b => b.textContent.includes('Save')).click()"
    )
    until(page, "document.querySelector('dialog[open] input')")
    name = page.find_element("css selector", "dialog[open] input")
    name.clear()
    name.send_keys("Over <b>the</b> hill")
    click(page, "dialog[open] .is-main")
    until(page, "location.hash.startsWith('#/playlist/')")
    until(page, "document.querySelector('h1')?.textContent === 'Over <b>the</b> hill'")
    exported = page.execute_async_script(
        "const done = arguments[0];"
        "fetch('api/v1/playlists/' + location.hash.split('/')[2] + '/file.m3u8')"
        ".then(r => r.text()).then(done)"
    )
    assert exported.startswith("#EXTM3U")
    assert sum(not line.startswith("#") for line in exported.splitlines()) == len(ids)


def test_a_point_tells_and_a_click_plays(page: Any, library: Library) -> None:
    opened(page, library)
    spot = page.execute_script(
        """
        const canvas = document.querySelector('.map canvas[tabindex]');
        const box = canvas.getBoundingClientRect();
        const fire = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
          clientX: x, clientY: y, pointerType: 'mouse', pointerId: 1, button: 0, bubbles: true }));
        const [high, wide] = [box.height - 40, box.width - 260];
        for (let y = 40; y < high; y += 6) for (let x = 40; x < wide; x += 6) {
          fire('pointermove', box.left + x, box.top + y);
          if (canvas.style.cursor === 'pointer') return [box.left + x, box.top + y];
        }
        """
    )
    assert spot, "no point is found on the map"
    until(page, "document.querySelector('.tip b')?.textContent.length > 0")
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(page)
    actions.pointer_action.move_to_location(round(spot[0]), round(spot[1])).click()
    actions.perform()
    until(page, f"location.hash.startsWith('#/track/') && {AUDIO_AT} > 0")
    assert plays(page)


def test_a_lasso_makes_a_playlist(page: Any, library: Library) -> None:
    opened(page, library)
    page.execute_script(
        """
        const canvas = document.querySelector('.map canvas[tabindex]');
        canvas.setPointerCapture = () => undefined;
        const box = canvas.getBoundingClientRect();
        const fire = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
          clientX: box.left + x, clientY: box.top + y, pointerType: 'mouse', pointerId: 1,
          button: 0, bubbles: true, shiftKey: true }));
        const [w, h] = [box.width - 4, box.height - 4];
        fire('pointerdown', 4, 4);
        for (const [x, y] of [[w, 4], [w, h], [4, h], [4, 8]]) fire('pointermove', x, y);
        fire('pointerup', 4, 8);
        """
    )
    until(page, "location.hash === '#/picked'")
    until(page, f"document.querySelector('h1').textContent === '{len(library.ids)} tracks'")


def test_likes_and_never_are_kept(page: Any, library: Library) -> None:
    opened(page, library, f"#/track/{library.ids['Piece 7']}")
    for label, kept in (("Like", "history?kind=like"), ("Never in mixes", "exclusions")):
        button = f'.taste button[aria-label="{label}"]'
        click(page, button)
        until(page, f"document.querySelector('{button}')?.ariaPressed === 'true'")
        stored = page.execute_async_script(
            f"const done = arguments[0]; fetch('api/v1/{kept}').then(r => r.json()).then(done)"
        )
        assert len(stored["items"]) == 1
    page.refresh()
    until(page, "document.querySelectorAll('.taste button[aria-pressed=true]').length === 2")


def test_hostile_titles_are_text(page: Any, library: Library) -> None:
    opened(page, library, "#/search/flac")
    until(page, f"{ROWS} >= 20")
    for number in range(len(HOSTILE)):
        track, shown = library.hostile[number]
        page.get(f"{library.address}/#/track/{track}")
        until(page, f"document.querySelector('h1 bdi')?.textContent === {json.dumps(shown)}")
        wide = page.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 1280
        tall = page.execute_script("return document.querySelector('h1').offsetHeight")
        assert tall < 300
    assert page.execute_script("return window.harm") is None
    assert page.execute_script("return getComputedStyle(document.body).display") != "none"


def test_nothing_is_asked_of_another_server(page: Any, library: Library) -> None:
    opened(page, library)
    for where in (
        "#/search/piece",
        "#/playlists",
        "#/library",
        "#/queue",
        f"#/track/{library.ids['Piece 4']}",
    ):
        page.execute_script(f"location.hash = {json.dumps(where)}")
        time.sleep(0.7)
    asked = set()
    for entry in page.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = urlsplit(message["params"]["request"]["url"])
            asked |= {url.netloc} if url.scheme in ("http", "https", "ws", "wss") else set()
    assert asked == {urlsplit(library.address).netloc}
    faults = [one["message"] for one in page.get_log("browser") if one["level"] == "SEVERE"]
    assert not faults


def test_a_file_that_vanished_and_a_server_that_restarts(
    page: Any, library: Library, tmp_path: Path
) -> None:
    opened(page, library, "#/search/piece 1")
    until(page, f"{ROWS} > 3")
    ids = page.execute_script(
        "return [...document.querySelectorAll('.row')].map(r => r.dataset.track)"
    )
    gone = next(title for title, id in library.ids.items() if str(id) == ids[0])
    file = library.folder / f"{int(gone.split()[1]):02}.flac"
    file.rename(tmp_path / file.name)
    try:
        click(page, ".pane .row-play")
        until(page, "document.querySelector('.remark.is-bad')?.textContent.includes('is gone')")
        until(page, f"document.querySelector('.row.is-current')?.dataset.track === '{ids[1]}'")
    finally:
        (tmp_path / file.name).rename(file)
    port = urlsplit(library.address).port
    library.server.stop()
    typed(page, "piece 2")
    until(page, "document.querySelector('.banner')")
    with server_process("--port", port, database=library.database) as again:
        again.line()
        until(page, "!document.querySelector('.banner')")
        typed(page, "piece 3")
        until(page, f"{ROWS} > 0")


def test_an_ingest_is_followed(page: Any, library: Library) -> None:
    opened(page, library, "#/library")
    until(page, "document.querySelector('.faults-file')?.textContent === 'no music.mp3'")
    click(page, "[data-action=ingest]")
    until(
        page,
        "[...document.querySelectorAll('[role=status]')]"
        ".some(e => e.textContent.startsWith('Ended'))",
        90,
    )
    until(page, "document.querySelector('.figure-box')", 60)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(library: Library, rebuilt: Path, is_dark: bool) -> None:
    if reason := browser.missing():
        pytest.skip(reason)
    axe = (rebuilt / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    places = (
        "",
        "#/search/piece",
        f"#/track/{library.ids['Piece 8']}",
        "#/queue",
        "#/playlists",
        "#/library",
    )
    with browser.chromium(is_dark=is_dark) as page:
        for where in places:
            opened(page, library, where)
            time.sleep(1.5)
            page.execute_script(axe)
            found = page.execute_async_script("axe.run().then(arguments[0])")
            serious = [
                f"{one['id']}: {one['help']} {one['nodes'][0]['html'][:200]}"
                for one in found["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            assert not serious, (where, serious)


def test_a_phone(library: Library) -> None:
    if reason := browser.missing():
        pytest.skip(reason)
    with browser.chromium(390, 844, is_phone=True) as page:
        opened(page, library)
        for where in (
            "",
            "#/search/piece",
            f"#/track/{library.ids['Piece 8']}",
            "#/queue",
            "#/playlists",
            "#/library",
        ):
            page.execute_script(f"location.hash = {json.dumps(where)}")
            time.sleep(0.6)
            assert page.execute_script("return document.documentElement.scrollWidth") <= 390, where
            low = page.execute_script(
                "return document.querySelector('.parts').getBoundingClientRect().bottom"
            )
            assert low == 844
        small = page.execute_script(
            "return [...document.querySelectorAll('.parts a, .player button:not([hidden])')]"
            ".map(e => e.getBoundingClientRect())"
            ".filter(b => b.width && Math.min(b.width, b.height) < 36).length"
        )
        assert small == 0


def test_an_empty_library_says_what_to_do(page: Any, tmp_path: Path) -> None:
    with server_process(database=tmp_path / "none.db") as server:
        page.get(server.line())
        until(page, "document.querySelector('.command')?.textContent.includes('recsys ingest')")


def test_a_key_opens_the_page_elsewhere(page: Any, library: Library) -> None:
    users = library.database.with_name("guests.json")
    secret = UserStore(users).add("anna").api_key
    with server_process("--users", users, database=library.database) as server:
        address = server.line()
        page.get(address)
        until(page, "document.querySelector('.sign-in input')")
        field = page.find_element("css selector", ".sign-in input")
        field.send_keys("wrong\n")
        until(page, "document.querySelector('.sign-in .fault')")
        field.clear()
        field.send_keys(f"{secret}\n")
        until(page, MAP)
        page.execute_script(f"location.hash = '#/track/{library.ids['Piece 6']}'")
        click(page, ".pane .button.is-main")
        until(page, f"{AUDIO_AT} > 0")
        assert plays(page)
        assert secret not in page.execute_script(
            "return JSON.stringify(localStorage) + document.cookie"
        )
