import hashlib
import stat
from pathlib import Path

import pytest
from command_line import recsys

from recommender.errors import UsageError
from recommender.server.settings import ServerSettings, is_loopback
from recommender.server.users import UserStore


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
    "content", ["", "[]", "{}", '{"schema_version": 9, "users": []}', "\xff", '{"users": 1}']
)
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(content)
    with pytest.raises(UsageError, match="no file of users"):
        UserStore(file).users()


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
