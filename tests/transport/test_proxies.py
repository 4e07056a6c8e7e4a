"""What PROXIES may say, and what is said when it is wrong."""

from pathlib import Path

import pytest
from scrapy.settings import Settings

from kaspi_crawler.arguments import BadArgument
from kaspi_crawler.proxies import RIGHT, configured

PLAIN = "http://203.0.113.7:8080"


def read(told: object) -> dict[str, str]:
    return configured(Settings({"PROXIES": told}))


@pytest.mark.parametrize(
    ("told", "named"),
    [
        pytest.param("", {}, id="nothing: ask directly"),
        pytest.param(None, {}, id="not set: ask directly"),
        pytest.param(PLAIN, {"203.0.113.7:8080": PLAIN}, id="an address"),
        pytest.param("203.0.113.7:8080", {"203.0.113.7:8080": PLAIN}, id="without http://"),
        pytest.param(
            f"http://u:p@gate.example:7000 , {PLAIN},",
            {"gate.example:7000": "http://u:p@gate.example:7000", "203.0.113.7:8080": PLAIN},
            id="a list; a name holds no password",
        ),
        pytest.param(
            "http://a:p@gate.example:7000,http://b:p@gate.example:7000",
            {
                "gate.example:7000": "http://a:p@gate.example:7000",
                "gate.example:7000#2": "http://b:p@gate.example:7000",
            },
            id="two users of one proxy are two exits",
        ),
        pytest.param(f"{PLAIN},{PLAIN}/", {"203.0.113.7:8080": PLAIN}, id="one twice is one"),
        pytest.param([PLAIN], {"203.0.113.7:8080": PLAIN}, id="a list of Python"),
    ],
)
def test_what_is_read(told: object, named: dict[str, str]) -> None:
    assert read(told) == named


@pytest.mark.parametrize("sign", ["@", ""])
def test_a_file_has_one_a_line_and_remarks(tmp_path: Path, sign: str) -> None:
    file = tmp_path / "proxies.txt"
    file.write_text(f"\ufeff# ours\n\n{PLAIN}  # Almaty\nhttp://u:p%23@10.0.0.1:3128\n")
    assert list(read(f"{sign}{file}")) == ["203.0.113.7:8080", "10.0.0.1:3128"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param("socks5://u:s3cret@10.0.0.1:1080", "SOCKS", id="SOCKS"),
        pytest.param("https://u:s3cret@10.0.0.1:8080", "with http://", id="TLS to the proxy"),
        pytest.param("http://u:s3cret@10.0.0.1", "is not host:port", id="no port"),
        pytest.param("http://u:s3cret@10.0.0.1:99999", "no port that could be", id="a high port"),
        pytest.param("10.0.0.1:8080:user:s3cret", "no port that could be", id="a provider's way"),
        pytest.param("http://u:s3cret@10.0.0.1:8080/path", "goes on behind", id="a path"),
        pytest.param("http://u:s3 cret@10.0.0.1:8080", "is not host:port", id="a blank"),
        pytest.param("http://u:s3cret@", "is not host:port", id="no host"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_without_its_password(
    tmp_path: Path, told: str, said: str
) -> None:
    file = tmp_path / "proxies.txt"
    file.write_text(f"# ours\n{PLAIN}\n{told}\n")
    for given, place in ((f"@{file}", "proxies.txt, line 3"), (f"{PLAIN},{told}", "number 2")):
        with pytest.raises(BadArgument) as wrong:
            read(given)
        assert place in str(wrong.value)
        assert said in str(wrong.value)
        assert RIGHT in str(wrong.value)
        assert "s3" not in str(wrong.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=r"missing\.txt: No such file.*one proxy a line"):
        read(f"@{tmp_path / 'missing.txt'}")
