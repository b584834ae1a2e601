"""The page is whole, small, and can load nothing from elsewhere."""

import gzip
import re
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from recommender.server.web.page import page_files

LARGEST = 300_000


def test_the_page_and_all_that_it_names_is_served(reader: TestClient) -> None:
    page = reader.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    named = set(re.findall(r'(?:src|href)="(web/[^"]+)"', page.text))
    assert {"web/app.js", "web/style.css", "web/theme.js"} <= named
    style = reader.get("/web/style.css").text
    named |= {f"web/{name}" for name in re.findall(r'url\("?([^")]+)"?\)', style)}
    for name in named:
        found = reader.get(f"/{name}")
        assert found.status_code == 200, name
        assert "nosniff" in found.headers["x-content-type-options"]
    assert reader.get("/web/none.js").status_code == 404
    assert reader.get("/web/../app.py").status_code == 404


def test_programs_that_ask_for_json_get_it_as_before(reader: TestClient) -> None:
    assert reader.get("/", headers={"Accept": "application/json"}).json()["status"] == "ok"


def test_the_policy_permits_this_server_alone(reader: TestClient) -> None:
    for path in ("/", "/web/app.js", "/web/style.css"):
        headers = reader.get(path).headers
        policy = headers["content-security-policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'none'"
        loading = {rule: value for rule, value in rules.items() if rule.endswith("-src")}
        assert set(loading.values()) == {"'none'", "'self'"}
        assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
        assert rules["require-trusted-types-for"] == "'script'"
        assert headers["referrer-policy"] == "no-referrer"
    page = reader.get("/").text
    assert "<script>" not in page
    assert " style=" not in page
    assert not re.search(r" on[a-z]+=", page)


def test_no_file_names_another_server() -> None:
    known = ("http://www.w3.org/",)  # names of XML vocabularies, which nobody asks
    for name, file in page_files().items():
        if name.endswith((".js", ".css", ".html", ".webmanifest", ".svg")):
            text = file.plain.decode()
            addresses = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'`)]*", text)
            assert not [one for one in addresses if not one.startswith(known)], name
            for risky in ("innerHTML=", "insertAdjacentHTML", "document.write", "eval("):
                assert risky not in text or risky == "innerHTML=", name


def test_it_is_small_and_names_the_licences_of_its_parts() -> None:
    files = page_files()
    sent = sum(
        len(file.plain if file.zipped is None else file.zipped)
        for name, file in files.items()
        if not name.endswith(".txt")
    )
    assert sent < LARGEST
    notices = files["NOTICES.txt"].plain.decode()
    for part in ("preact", "@preact/signals", "libre-franklin", "libre-caslon", "Open Font"):
        assert part.lower() in notices.lower()


def test_files_are_compressed_and_known_again(reader: TestClient) -> None:
    plain = reader.get("/web/app.js", headers={"Accept-Encoding": "identity"})
    packed = reader.get("/web/app.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content  # the client unpacks
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2
    again = reader.get("/web/app.js", headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_below_a_base_path(serve: Callable[..., Any]) -> None:
    client = serve(base_path="/recsys")
    assert client.get("/recsys/").status_code == 200
    assert client.get("/recsys/web/app.js").status_code == 200
    bare = client.get("/recsys")
    assert bare.status_code == 307
    assert bare.headers["location"].endswith("/recsys/")
