"""Laws of where the ledger lives: a path counts from the file's folder, a URL is libpq's, and no password is in it."""

import getpass
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.configuration import ConfigurationError, load
from headend.config import HeadendConfig
from headend.place import PostgresServer

URL = "postgresql://meterpurse@db.example.org:5433/books?sslmode=verify-full"


def test_a_path_counts_from_the_folder_and_a_url_stays(tmp_path: Path) -> None:
    for told, wanted in (("books.sqlite", tmp_path / "books.sqlite"), (URL, PostgresServer(url=URL))):
        config = HeadendConfig.model_validate({"database": told}, context={"folder": tmp_path})
        assert config.database == wanted
    assert str(PostgresServer.parse(URL)) == URL
    assert HeadendConfig.model_validate({}, context={"folder": tmp_path}).database == tmp_path / "headend.sqlite"


def test_the_parameters_are_those_of_libpq() -> None:
    assert PostgresServer.parse(URL).parameters() == {
        "user": "meterpurse",
        "host": "db.example.org",
        "port": "5433",
        "dbname": "books",
        "sslmode": "verify-full",
    }
    assert PostgresServer.parse("postgresql:///books?host=/run/postgresql").parameters()["host"] == "/run/postgresql"


@pytest.mark.parametrize("url", ["postgresql://me:hunter22@db/books", "postgres://db/books?password=hunter22"])
def test_a_password_in_the_url_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    path = tmp_path / "headend.toml"
    path.write_text(f'listen = "127.0.0.1:0"\ndatabase = "{url}"\n')
    with pytest.raises(ConfigurationError) as caught:
        load(path, HeadendConfig)
    assert str(caught.value).startswith(f"{path}:2: database: a password does not belong here: put it into ~/.pgpass")
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("postgresql://db", "the URL names no database"),
        ("postgresql://db/books?sslmood=on", 'invalid URI query parameter: "sslmood"'),
        ("mysql://db/books", "begins with postgresql://"),
        (5, "path"),
    ],
)
def test_what_is_no_place_is_refused(told: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HeadendConfig.model_validate({"database": told})


def test_a_passfile_that_libpq_would_pass_over_is_named(tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    server = PostgresServer.parse(f"postgresql://me@db/books?passfile={passfile}")
    with pytest.raises(ValueError, match=f"{passfile} cannot be read: No such file"):
        server.parameters()
    passfile.write_text(f"*:*:*:{getpass.getuser()}:hunter22\n")
    passfile.chmod(0o640)
    with pytest.raises(ValueError, match="open to other users"):
        server.parameters()
    passfile.chmod(0o600)
    assert server.parameters()["passfile"] == str(passfile)
