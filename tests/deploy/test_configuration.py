"""Every mistake in a configuration is named by its file and line, all of them at once, and no secret is repeated."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from deploy.configuration import ConfigurationError, Problem, blaming, load, problem_at
from dlms_objects.errors import LocalError


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TcpLine(Section):
    kind: Literal["tcp"] = "tcp"
    address: str
    port: Annotated[int, Field(ge=1, le=65535)] = 4059


class SerialLine(Section):
    kind: Literal["serial"]
    device: Path
    speed: Literal[300, 9600] = 9600


class Headend(Section):
    url: str
    token: str = Field(min_length=8)
    token_file: Path | None = None
    pins: list[str] = []

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if "://" not in url:
            raise ValueError(f"an address like https://example.org, not {url!r}")
        return url

    @field_validator("token_file")
    @classmethod
    def _exists(cls, path: Path, info: ValidationInfo) -> Path:
        file: Path = info.context["folder"] / path
        if not file.exists():
            raise ValueError(f"no file {path}")
        return file

    @model_validator(mode="after")
    def _token_is_not_the_url(self) -> "Headend":
        if self.token == self.url:
            raise ValueError(f"the token {self.token} is the url")
        return self


class Gateway(Section):
    name: str
    interval_s: int = 60
    keys: Path = Path("keys")
    headend: Headend
    line: list[TcpLine] = []
    port: list[Annotated[TcpLine | SerialLine, Field(discriminator="kind")]] = []
    payees: dict[str, Annotated[int, Field(gt=0)]] = {}
    password: str | int = "none"
    size: Literal["small", "large"] = "small"


GOOD = """\
name = "g"

[headend]
url = "https://example.org"
token = "0123456789"

[[line]]
address = "meter-1"

[[port]]
kind = "serial"
device = "ttyS0"
"""


def problems_of(text: str | bytes, folder: Path, model: type[BaseModel] = Gateway) -> list[str]:
    """What `load` says about a file of this text, without the path of the folder."""
    path = folder / "gateway.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as caught:
        load(path, model)
    said = str(caught.value)
    assert said == "\n".join(map(str, caught.value.problems))
    return [line.removeprefix(f"{folder}/") for line in said.splitlines()]


def test_a_good_file_becomes_its_model(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(GOOD)
    gateway = load(tmp_path / "gateway.toml", Gateway)
    assert [line.kind for line in (*gateway.line, *gateway.port)] == ["tcp", "serial"]
    assert gateway.headend.token == "0123456789"


HEADEND = '[headend]\nurl = "a://b"\ntoken = "12345678"\n'

BROKEN = [
    # syntax
    ("name = ", ["1: not TOML: Invalid value (at end of document)"]),
    ('name = "g\n', [r"1: not TOML: Illegal character '\n' (column 10)"]),
    ('\n\nname "g"\n', ["3: not TOML: Expected '=' after a key in a key/value pair (column 6)"]),
    ("a = [1,\n2\n\n", ["2: not TOML: Unclosed array (at end of document)"]),
    ("[headend]\n[headend]\n", ["2: not TOML: Cannot declare ('headend',) twice (column 9)"]),
    ("a = 1\na = 2\nb = 3\n", ["2: not TOML: Cannot overwrite a value (column 6)"]),
    (b"name = 'g'\n# \xff\n", ["2: not UTF-8 text"]),
    # what is missing
    ("", ["1: name: missing", "1: headend: missing"]),
    ("# only words\n[headend]\n", ["1: name: missing", "2: headend.url: missing", "2: headend.token: missing"]),
    ('name = "g"\nheadend = { url = "a://b" }\n', ["2: headend.token: missing"]),
    ('name = "g"\nheadend.token = "12345678"\n', ["2: headend.url: missing"]),
    (f'name = "g"\n{HEADEND}[[line]]\naddress = "a"\n[[line]]\nport = 1\n', ["7: line[1].address: missing"]),
    (f'name = "g"\n{HEADEND}[[port]]\nkind = "serial"\n', ["5: port[0].device: missing"]),
    # unknown keys
    (f'name = "g"\nintervall_s = 1\n{HEADEND}', ["2: intervall_s: unknown key; did you mean 'interval_s'?"]),
    (f'name = "g"\nzzz = 1\n{HEADEND}', ["2: zzz: unknown key"]),
    (f'name = "g"\n{HEADEND}Token_file = "x"\n', ["5: headend.Token_file: unknown key; did you mean 'token_file'?"]),
    (
        f'name = "g"\n{HEADEND}[[line]]\nadress = "a"\n',
        ["5: line[0].address: missing", "6: line[0].adress: unknown key; did you mean 'address'?"],
    ),
    (
        f'name = "g"\n{HEADEND}[[port]]\nkind = "serial"\ndevice = "d"\nsped = 300\n',
        ["8: port[0].sped: unknown key; did you mean 'speed'?"],
    ),
    (f'name = "g"\n{HEADEND}[lines]\n', ["5: lines: unknown key; did you mean 'line'?"]),
    # wrong types and values
    (
        f'name = "g"\ninterval_s = "often"\n{HEADEND}',
        ["2: interval_s: should be a valid integer, unable to parse string as an integer, not 'often'"],
    ),
    (f"name = 5\n{HEADEND}", ["1: name: should be a valid string, not 5"]),
    (
        f'name = "g"\ninterval_s = 1.5\n{HEADEND}',
        ["2: interval_s: should be a valid integer, got a number with a fractional part, not 1.5"],
    ),
    (f'name = ["g"]\n{HEADEND}', ["1: name: should be a valid string"]),
    (f"name = true\n{HEADEND}", ["1: name: should be a valid string, not true"]),
    (
        f"name = '{'x' * 99}'\nheadend = '{'y' * 99}'\n",
        ["2: headend: should be a valid dictionary or instance of Headend"],
    ),
    (
        f'name = "g"\n{HEADEND}\n[[line]]\naddress = "a"\nport = 70000\n',
        ["8: line[0].port: should be less than or equal to 65535, not 70000"],
    ),
    (
        f'name = "g"\nline = [\n  {{ address = "a" }},\n\n  {{ address = "b", port = 0 }},\n]\n{HEADEND}',
        ["5: line[1].port: should be greater than or equal to 1, not 0"],
    ),
    (
        f'name = "g"\n{HEADEND}[[port]]\nkind = "radio"\n',
        ["5: port[0]: tag 'radio' found using 'kind' does not match any of the expected tags: 'tcp', 'serial'"],
    ),
    (f'name = "g"\n{HEADEND}[payees]\nwater = 1\ngas = 0\n', ["7: payees.gas: should be greater than 0, not 0"]),
    # words that are none of those wanted
    (
        f'name = "g"\nsize = "smal"\n{HEADEND}',
        ["2: size: should be 'small' or 'large', not 'smal'; did you mean 'small'?"],
    ),
    # what validators of ours say
    (
        'name = "g"\n[headend]\nurl = "example.org"\ntoken = "12345678"\n',
        ["3: headend.url: an address like https://example.org, not 'example.org'"],
    ),
    (f'name = "g"\n{HEADEND}token_file = "gone.txt"\n', ["5: headend.token_file: no file gone.txt"]),
    # all at once, in the order of their lines
    (
        'nam = "g"\ninterval_s = []\n[headend]\nurl = "x"\ntoken = 5\n[extra]\n',
        [
            "1: name: missing",
            "1: nam: unknown key; did you mean 'name'?",
            "2: interval_s: should be a valid integer",
            "4: headend.url: an address like https://example.org, not 'x'",
            "5: headend.token: should be a valid string",
            "6: extra: unknown key",
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_every_mistake_is_named_by_its_line(text: str | bytes, expected: list[str], tmp_path: Path) -> None:
    assert problems_of(text, tmp_path) == [f"gateway.toml:{line}" for line in expected]


SECRET = 'hunter2-\\-"é'
WRITTEN = "'hunter2-\\-\"é'"


@pytest.mark.parametrize(
    "text",
    [
        f'name = "g"\n[headend]\nurl = {WRITTEN}\ntoken = {WRITTEN}\n',
        f'name = "g"\n[headend]\nurl = "a://b"\ntoken = [{WRITTEN}]\n',
        f'name = "g"\ntokens = {WRITTEN}\n[headend]\nurl = {WRITTEN}\n',
        f'name = "g"\nsecret = {{ of = {WRITTEN} }}\ninterval_s = {WRITTEN}\n',
        f'name = "g"\npassword = [{WRITTEN}]\n[payees]\napi_key = {WRITTEN}\n',
    ],
)
def test_a_secret_is_never_repeated(text: str, tmp_path: Path) -> None:
    said = "\n".join(problems_of(text, tmp_path))
    assert SECRET not in said
    assert repr(SECRET)[1:-1] not in said
    assert "hunter2" not in said


def test_a_secret_in_the_words_of_a_validator_is_blotted_out(tmp_path: Path) -> None:
    text = 'name = "g"\n[headend]\nurl = "abcd://efgh"\ntoken = "abcd://efgh"\n'
    assert problems_of(text, tmp_path) == ["gateway.toml:2: headend: the token *** is the url"]


def test_the_same_words_outside_a_secret_are_shown(tmp_path: Path) -> None:
    assert "hunter2" in problems_of('name = "g"\ninterval_s = "hunter2"\n' + HEADEND, tmp_path)[0]


def test_the_path_of_a_key_folder_is_no_secret(tmp_path: Path) -> None:
    class Meter(Section):
        keys: Path

        @field_validator("keys")
        @classmethod
        def _exists(cls, path: Path) -> Path:
            raise ValueError(f"no folder {path}")

    assert problems_of('keys = "my-keys"\n', tmp_path, Meter) == ["gateway.toml:1: keys: no folder my-keys"]


def test_a_mistake_in_the_whole_stands_on_the_first_line(tmp_path: Path) -> None:
    class Whole(Section):
        @model_validator(mode="after")
        def _never(self) -> "Whole":
            raise ValueError("Nothing fits")

    assert problems_of("\n\n", tmp_path, Whole) == ["gateway.toml:1: Nothing fits"]


def test_a_file_that_cannot_be_read_is_one_problem_without_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^\S*/none.toml: cannot be read: No such file or directory$"):
        load(tmp_path / "none.toml", Gateway)
    with pytest.raises(ConfigurationError, match=r": cannot be read: Is a directory$"):
        load(tmp_path, Gateway)


def test_a_configuration_error_is_our_own_kind() -> None:
    error = ConfigurationError([Problem(Path("b"), 2, "second"), Problem(Path("a"), None, "first")])
    assert isinstance(error, LocalError)
    assert [str(problem) for problem in error.problems] == ["a: first", "b:2: second"]


def test_a_problem_found_later_points_at_its_key(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD)
    assert str(problem_at(path, ("headend", "url"), "no answer")) == f"{path}:4: headend.url: no answer"
    assert str(problem_at(path, ("port", 0, "device"), "busy")) == f"{path}:12: port[0].device: busy"
    assert str(problem_at(tmp_path / "none", ("x",), "busy")) == f"{tmp_path}/none: busy"


def test_an_error_of_what_was_started_is_blamed_on_its_key(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD)
    places: dict[type[Exception], tuple[str, ...]] = {FileNotFoundError: ("headend", "token"), OSError: ("name",)}
    with pytest.raises(ConfigurationError, match=r"gateway.toml:5: headend.token: gone$"), blaming(path, places):
        raise FileNotFoundError("gone")
    with pytest.raises(ConfigurationError, match=r"gateway.toml:1: name: busy$"), blaming(path, places):
        raise OSError("busy")
    with pytest.raises(KeyError), blaming(path, places):
        raise KeyError("another matter")


@given(cut=st.integers(0, len(GOOD)), noise=st.text(max_size=6))
def test_any_damage_is_a_problem_with_a_line_of_the_file_or_no_problem(
    cut: int, noise: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes((GOOD[:cut] + noise + GOOD[cut:]).encode(errors="surrogatepass"))
    problems: tuple[Problem, ...] = ()
    try:
        load(path, Gateway)
    except ConfigurationError as error:
        problems = error.problems
        assert problems  # noqa: PT017 - no error at all is as good
    last = path.read_bytes().count(b"\n") + 1
    assert all(problem.line is not None and 1 <= problem.line <= last for problem in problems)
    assert all(re.match(r"\S+damaged\.toml:\d+: \S", str(problem)) for problem in problems)


def test_what_a_further_look_finds_is_told_beside_the_mistakes_of_form(tmp_path: Path) -> None:
    def further(gateway: Gateway) -> list[tuple[tuple[str | int, ...], str]]:
        return [(("line", index, "address"), "nobody there") for index in range(len(gateway.line))]

    path = tmp_path / "gateway.toml"
    path.write_text(f'name = "g"\n{HEADEND}[[line]]\naddress = 5\n[[line]]\naddress = "b"\n')
    with pytest.raises(ConfigurationError) as caught:
        load(path, Gateway, further)
    assert [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems] == [
        "6: line[0].address: should be a valid string, not 5",
        "8: line[1].address: nobody there",
    ]
    path.write_text(f'name = "g"\n{HEADEND}[[line]]\naddress = "b"\n')
    with pytest.raises(ConfigurationError, match=r":6: line\[0\]\.address: nobody there$"):
        load(path, Gateway, further)
