"""Times the web page in a headless Chromium that draws in software: the map, search, first paint.

    recsys ingest MUSIC --db small.db
    python tests/bench/synthetic_catalog.py small.db large.db --tracks 50000
    python tests/bench/web_page.py large.db

Needs Chromium with its driver (Debian: chromium, chromium-driver) and selenium. The first query of
a large catalogue builds its index: `recsys similar 1 --db large.db` before the page is timed.

While the map is panned and zoomed for some seconds, the time from one frame to the next is taken by
`requestAnimationFrame`, as a reader would see it, and the processor time of all of Chromium's
processes is divided by the frames, which other load on the machine changes little. Beside it: the
page at rest, the floor, and the same map by WebGL where a program stands in for the graphics
processor (`--webgl`), which draws the rest of the page, too.
"""

import argparse
import gzip
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from browser import WEBGL_IN_SOFTWARE, chromium, missing, until
from serving_process import server_process

from recommender.server.web.page import page_files

DRAWN = "document.querySelector('.map')?.dataset.drawn"

FRAMES = """
const [seconds, isMoved, done] = arguments;
const canvas = document.querySelector(".map canvas[tabindex]");
const box = canvas.getBoundingClientRect();
const fire = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
  pointerId: 1, button: 0, clientX: box.left + x, clientY: box.top + y, bubbles: true,
  pointerType: "mouse", isPrimary: true }));
canvas.setPointerCapture = () => undefined;
const frames = [], begin = performance.now();
let last = begin;
if (isMoved) fire("pointerdown", box.width / 2, box.height / 2);
function frame(now) {
  frames.push(now - last);
  last = now;
  const t = (now - begin) / 1000;
  if (t > seconds) {
    if (isMoved) fire("pointerup", box.width / 2, box.height / 2);
    done(frames.slice(3));
    return;
  }
  if (isMoved) {
    const [across, down] = [.5 + .3 * Math.sin(2 * t), .5 + .3 * Math.cos(3 * t)];
    fire("pointermove", box.width * across, box.height * down);
    if (frames.length % 4 === 0) canvas.dispatchEvent(new WheelEvent("wheel", {
      deltaY: 60 * Math.sin(t), clientX: box.left + box.width / 2,
      clientY: box.top + box.height / 2, cancelable: true }));
  }
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
"""

SEARCH = """
const [words, done] = arguments;
const input = document.getElementById("search");
input.focus();
const begin = performance.now();
const watch = new MutationObserver(() => {
  const list = document.querySelector("[data-results]");
  if (list && +list.dataset.results > 0) { watch.disconnect(); done(performance.now() - begin); }
});
watch.observe(document.body, { subtree: true, childList: true, attributes: true });
input.value = words;
input.dispatchEvent(new Event("input", { bubbles: true }));
"""


def main(words: Sequence[str] | None = None) -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--webgl", action="store_true")
    given = parser.parse_args(words)
    if reason := missing():
        sys.stdout.write(f"not measured: {reason}.\n")
        return
    sizes = {
        name: len(file.plain if file.zipped is None else gzip.compress(file.plain, 9, mtime=0))
        for name, file in page_files().items()
        if not name.endswith(".txt")
    }
    found: dict[str, Any] = {"bytes_compressed": sum(sizes.values()), "files": sizes}
    with server_process(database=given.database) as server:
        address = server.line()
        with chromium(1280, 800) as page:
            found |= _measured(page, address, given.seconds, given.repeats)
        if given.webgl:
            with chromium(1280, 800, more=WEBGL_IN_SOFTWARE) as page:
                page.get(f"{address}/?renderer=webgl")
                until(page, DRAWN, 120)
                found["webgl_in_software"] = _panned(page, given.seconds, is_moved=True)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def _measured(page: Any, address: str, seconds: float, repeats: int) -> dict[str, Any]:
    found: dict[str, Any] = {"map_drawn_s": []}
    for _ in range(repeats):
        begin = time.monotonic()
        page.get(f"{address}/?{time.time()}")
        until(page, DRAWN, 120)
        found["map_drawn_s"].append(round(time.monotonic() - begin, 2))
    found["points"] = int(
        page.execute_script("return document.querySelector('.map').dataset.drawn")
    )
    found["renderer"] = page.execute_script(
        "return document.querySelector('.map').dataset.renderer"
    )
    page.set_script_timeout(60)
    for name, is_moved in (("floor", False), ("panned", True)):
        found[name] = [_panned(page, seconds, is_moved=is_moved) for _ in range(repeats)]
    found["first_result_ms"] = [
        round(page.execute_async_script(SEARCH, text)) for text in ("song 1", "artist 2", "al")
    ]
    return found


def _panned(page: Any, seconds: float, *, is_moved: bool) -> dict[str, float]:
    """Frames while the map is moved, or left alone."""
    page.set_script_timeout(60)
    used = _processor_s(page.service.process.pid)
    frames = page.execute_async_script(FRAMES, seconds, is_moved)
    used = _processor_s(page.service.process.pid) - used
    ordered = sorted(frames)
    return {
        "frames_a_second": round(1000 / statistics.fmean(frames), 1),
        "median_ms": round(statistics.median(frames), 1),
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
        "longest_ms": round(ordered[-1], 1),
        "processor_ms_a_frame": round(1000 * used / len(frames), 1),
    }


def _processor_s(process: int) -> float:
    """Processor time so far of a process and all below it (Linux)."""
    children: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = file.read_text().partition(" ")
        except OSError:
            continue
        fields = rest[rest.rindex(")") + 2 :].split()
        children.setdefault(int(fields[1]), []).append(int(number))
        used[int(number)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    total, left = 0.0, [process]
    while left:
        one = left.pop()
        total += used.get(one, 0.0)
        left += children.get(one, [])
    return total


if __name__ == "__main__":
    main()
