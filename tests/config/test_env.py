"""Settings fail at start-up, naming the variable and repeating no password."""

import pytest

from config.env import (
    SettingError,
    env_database,
    env_directory,
    env_int,
    env_list,
    env_public_url,
    env_secret,
    env_str,
)
from config.secret_key import load_secret_key

NAME = "GATEHOUSE_UNDER_TEST"


@pytest.fixture
def variable(monkeypatch):
    monkeypatch.delenv(NAME, raising=False)
    return lambda value: monkeypatch.setenv(NAME, value)


@pytest.mark.parametrize(("text", "number"), [("", 5), ("  ", 5), ("1", 1), (" 9 ", 9)])
def test_number_is_read(text, number, variable):
    variable(text)
    assert env_int(NAME, 5, low=1, high=9) == number


@pytest.mark.parametrize("text", ["abc", "0", "10", "-1", "1.5", "1e1", "1 2"])
def test_wrong_number_is_named(text, variable):
    variable(text)
    with pytest.raises(SettingError) as refusal:
        env_int(NAME, 5, low=1, high=9)
    assert str(refusal.value) == f"{NAME} must be a whole number from 1 to 9, not {text!r}."


def test_text_loses_its_blanks_and_a_secret_keeps_them(variable):
    variable("  x ")
    assert env_str(NAME) == "x"
    assert env_secret(NAME) == "  x "
    variable(" ")
    assert env_str(NAME, "default") == "default"


def test_list_is_separated_by_commas(variable):
    assert env_list(NAME) == []
    variable(" a, b,,c ,")
    assert env_list(NAME) == ["a", "b", "c"]


def test_directory_is_made_for_nobody_else(tmp_path, variable):
    variable(str(tmp_path / "a" / "b"))
    path = env_directory(NAME, tmp_path)
    assert path.is_dir()
    assert path.stat().st_mode & 0o077 == 0


def test_directory_that_cannot_be_made_is_named(tmp_path, variable):
    (tmp_path / "file").write_text("")
    variable(str(tmp_path / "file" / "data"))
    with pytest.raises(SettingError, match=NAME):
        env_directory(NAME, tmp_path)


def test_without_a_url_the_database_is_a_file(tmp_path, variable):
    found = env_database(NAME, tmp_path / "x.sqlite3")
    assert found == {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "x.sqlite3")}


def test_url_of_postgresql_is_read(tmp_path, variable):
    variable("postgresql://me:p%40ss@db.example.com:5433/gatehouse")
    found = env_database(NAME, tmp_path)
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.com", 5433, "gatehouse")
    assert (found["USER"], found["PASSWORD"]) == ("me", "p@ss")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:hunter2@db/gatehouse",
        "gatehouse:hunter2",
        "postgresql://me:hunter2@db",
        "postgresql://me:hunter2@db/",
        "postgresql://me:hunter2@db:port/gatehouse",
        "postgresql://[me:hunter2@db/gatehouse",
    ],
)
def test_wrong_database_is_named_and_its_password_not_repeated(url, tmp_path, variable):
    variable(url)
    with pytest.raises(SettingError, match=NAME) as refusal:
        env_database(NAME, tmp_path)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("https://gatehouse.example.com", "https://gatehouse.example.com"),
        ("http://localhost:8000/", "http://localhost:8000"),
    ],
)
def test_public_url_is_read(text, url, variable):
    variable(text)
    assert env_public_url(NAME) == url


@pytest.mark.parametrize(
    "text",
    ["gatehouse.example.com", "ftp://x", "https://", "https://x/path", "https://x?q", "http://[x"],
)
def test_wrong_public_url_is_named(text, variable):
    variable(text)
    with pytest.raises(SettingError, match=NAME):
        env_public_url(NAME)


class TestSecretKey:
    """The installation's key, made once and kept."""

    @pytest.fixture(autouse=True)
    def _nothing_in_the_environment(self, monkeypatch):
        monkeypatch.delenv("GATEHOUSE_SECRET_KEY")

    def test_is_made_once_for_nobody_else_and_read_again(self, tmp_path):
        key = load_secret_key(tmp_path)
        assert len(key) >= 32
        assert load_secret_key(tmp_path) == key
        assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
        assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0

    def test_of_the_environment_counts_and_writes_no_file(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GATEHOUSE_SECRET_KEY", "k" * 32)
        assert load_secret_key(tmp_path) == "k" * 32
        assert list(tmp_path.iterdir()) == []

    def test_that_is_too_short_is_refused_by_name(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GATEHOUSE_SECRET_KEY", "short")
        with pytest.raises(SettingError, match="GATEHOUSE_SECRET_KEY") as refusal:
            load_secret_key(tmp_path)
        assert "short" not in str(refusal.value)

    @pytest.mark.parametrize("content", ["", "damaged", "\n"])
    def test_that_is_damaged_is_not_replaced(self, content, tmp_path):
        (tmp_path / "secret.key").write_text(content)
        with pytest.raises(SettingError, match=r"secret\.key is damaged"):
            load_secret_key(tmp_path)
        assert (tmp_path / "secret.key").read_text() == content
