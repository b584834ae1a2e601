import hashlib
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import recsys
from fastapi.testclient import TestClient

from recommender.errors import UsageError
from recommender.server.settings import ServerSettings, is_loopback
from recommender.server.users import UserStore, UsersUnreadable


def test_secrets_identify_their_user_and_nobody_else(tmp_path: Path) -> None:
    store = UserStore(tmp_path / "users.json")
    anna, bela = store.add("anna"), store.add("bela")
    assert [user.name for user in store.users()] == ["anna", "bela"]
    for secret, name in ((anna.api_key, "anna"), (anna.token, "anna"), (bela.token, "bela")):
        found = store.by_secret(secret)
        assert found is not None
        assert found.name == name
    assert store.by_secret(anna.password) is None
    assert store.by_secret("") is None
    salted = hashlib.md5(f"{anna.password}salt".encode()).hexdigest()
    assert store.by_salted("anna", salted, "salt") == store.named("anna")
    assert store.by_salted("bela", salted, "salt") is None
    assert store.by_salted("nobody", hashlib.md5(b"salt").hexdigest(), "salt") is None
    assert store.by_password("anna", anna.password) == store.named("anna")
    assert store.by_password("anna", "wrong") is None
    assert store.by_password("nobody", "") is None


def test_only_the_owner_reads_the_file_and_keys_are_not_in_it(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    secrets = UserStore(file).add("anna")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert secrets.api_key not in text
    assert secrets.token not in text
    assert secrets.password in text  # a salt cannot be checked without


def test_changes_by_another_process_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.server.users._LOOK_S", 0.0)
    store, other = (UserStore(tmp_path / "users.json") for _ in range(2))
    assert store.users() == []
    secrets = other.add("anna")
    assert store.by_secret(secrets.token) is not None
    other.remove("anna")
    assert store.by_secret(secrets.token) is None


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../a", "a\n", "é", "x" * 65, "-a"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a user"):
        UserStore(tmp_path / "users.json").add(name)


def test_taken_and_unknown_names_are_refused(tmp_path: Path) -> None:
    store = UserStore(tmp_path / "users.json")
    store.add("anna")
    with pytest.raises(UsageError, match="already"):
        store.add("anna")
    with pytest.raises(UsageError, match="Users: anna"):
        store.remove("bela")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"schema_version": 9, "users": []}', "\xff", '{"users": 1}', "[" * 100_000,
     '{"schema_version": 1, "users": [{"name": "anna", "password": "", "api_key_digest": "", '
     '"token_digest": ""}]}'],
    ids=range(8),
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(content)
    file.chmod(0o600)
    store = UserStore(file)
    for _ in range(2):
        with pytest.raises(UsersUnreadable, match="no file of users"):
            store.users()
        with pytest.raises(UsersUnreadable, match="no file of users"):
            store.by_secret("x")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_file_that_others_may_change_lets_nobody_in_and_one_that_they_read_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "users.json"
    secrets = UserStore(file).add("anna")
    file.chmod(0o640)
    assert UserStore(file).by_secret(secrets.token) is not None
    assert "chmod 600" in caplog.text
    for mode in (0o620, 0o602):
        file.chmod(mode)
        with pytest.raises(UsersUnreadable, match="chmod 600"):
            UserStore(file).by_secret(secrets.token)
        assert recsys("serve", "--users", file, "--db", tmp_path / "no.db").status == 1


def test_two_that_add_users_at_a_time_lose_none(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    names = [f"user{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda name: UserStore(file).add(name), names))
    assert [user.name for user in UserStore(file).users()] == sorted(names)


@pytest.mark.parametrize("lost", ["removed", "vanished"])
def test_who_had_users_has_not_let_everybody_in(
    serve: Callable[..., TestClient], database: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr("recommender.server.users._LOOK_S", 0.0)
    client, store = serve(), UserStore(database.with_name("catalog.db.users.json"))
    assert client.get("/api/v1/status").status_code == 200
    token = store.add("anna").token
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/status", headers=bearer).status_code == 200
    if lost == "removed":
        store.remove("anna")
        again = recsys("serve", "--db", database)
        assert again.status == 1
        assert "has no user left" in again.err
    else:
        store.file.unlink()
    for headers in ({}, bearer):
        assert client.get("/api/v1/status", headers=headers).status_code == 401
        answer = client.get("/rest/star?u=a&p=b&id=1&f=json", headers=headers).json()
        assert answer["subsonic-response"]["error"]["code"] == 40


def test_users_that_cannot_be_read_close_the_server_and_their_path_is_only_logged(
    serve: Callable[..., TestClient], database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = UserStore(database.with_name("catalog.db.users.json"))
    token = store.add("anna").token
    store.file.write_text("{")
    client = serve()
    for path in ("/api/v1/status", "/api/similar_tracks?item_id=1", "/metrics"):
        answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 503
        assert store.file.name not in answer.text
    answer = client.get("/rest/getArtists?u=anna&p=b&f=json")
    assert answer.json()["subsonic-response"]["status"] == "failed"
    assert store.file.name not in answer.text
    assert client.get("/healthz").status_code == 200
    assert [str(store.file) in line for line in caplog.messages].count(True) == 1


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("example.org", False), ("10.0.0.1", False), ("", False)],
)  # fmt: skip
def test_loopback_addresses(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_authentication_is_off_at_loopback_addresses_only() -> None:
    ServerSettings(require_auth=False)
    with pytest.raises(UsageError, match="other machines"):
        ServerSettings(host="0.0.0.0", require_auth=False)
    with pytest.raises(UsageError, match="all of them"):
        ServerSettings(origins=("*",))
    with pytest.raises(UsageError, match="/recsys"):
        ServerSettings(base_path="recsys/")


def test_users_are_added_listed_and_removed_by_commands(tmp_path: Path) -> None:
    db = tmp_path / "catalog.db"
    added = recsys("serve", "user", "add", "anna", "--db", db, "--json")
    assert added.status == 0
    store = UserStore(tmp_path / "catalog.db.users.json")
    assert store.by_secret(added.json["api_key"]) == store.named("anna")
    assert store.by_secret(added.json["token"]) == store.named("anna")
    assert store.by_password("anna", added.json["password"]) is not None
    assert recsys("serve", "user", "list", "--db", db, "--json").json["users"] == ["anna"]
    again = recsys("serve", "user", "add", "anna", "--db", db)
    assert again.status == 1
    assert "already" in again.err
    assert recsys("serve", "user", "remove", "anna", "--db", db).status == 0
    assert recsys("serve", "user", "list", "--db", db, "--json").json["users"] == []
    assert not db.exists()
