"""Times the web page in a headless Chromium that draws in software: the map, search, first paint.

    recsys ingest MUSIC --db small.db
    python tests/bench/synthetic_catalog.py small.db large.db --tracks 50000
    python tests/bench/web_page.py large.db

Needs Chromium with its driver (Debian: chromium, chromium-driver) and selenium. While the map is
panned and zoomed for some seconds, the time from one frame to the next is taken by
`requestAnimationFrame`, as a reader would see it. A page that draws nothing is the floor.
"""

import argparse
import gzip
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from browser import chromium, until
from serving_process import server_process

from recommender.server.web.page import page_files

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
    given = parser.parse_args(words)
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
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def _measured(page: Any, address: str, seconds: float, repeats: int) -> dict[str, Any]:
    found: dict[str, Any] = {"map_drawn_s": []}
    for _ in range(repeats):
        begin = time.monotonic()
        page.get(f"{address}/?{time.time()}")
        until(page, "document.querySelector('.map')?.dataset.drawn", 120)
        found["map_drawn_s"].append(round(time.monotonic() - begin, 2))
    found["points"] = int(
        page.execute_script("return document.querySelector('.map').dataset.drawn")
    )
    found["renderer"] = page.execute_script(
        "return document.querySelector('.map').dataset.renderer"
    )
    page.set_script_timeout(60)
    for name, is_moved in (("floor", False), ("panned", True)):
        found[name] = [
            _summary(page.execute_async_script(FRAMES, seconds, is_moved)) for _ in range(repeats)
        ]
    found["first_result_ms"] = [
        round(page.execute_async_script(SEARCH, text)) for text in ("song 1", "artist 2", "al")
    ]
    return found


def _summary(frames: Sequence[float]) -> dict[str, float]:
    ordered = sorted(frames)
    return {
        "frames_a_second": round(1000 / statistics.fmean(frames), 1),
        "median_ms": round(statistics.median(frames), 1),
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
        "longest_ms": round(ordered[-1], 1),
    }


if __name__ == "__main__":
    main()
