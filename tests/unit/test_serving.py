"""The layers that the server adds: what is compressed and what is not, and where a sign-in leads back to."""

import asyncio
import re
from urllib.parse import quote, unquote

import brotli
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from dashboard import serving
from dashboard.serving import AHEAD, RETURN, Ahead, Compressed, Returning, Short, place

SCRIPT = "const answer = 42;\n" * 500
BROTLI = {"accept-encoding": "gzip, deflate, br"}


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "script.js").write_text(SCRIPT)
    (folder / "small.js").write_text("let a")
    (folder / "font.woff2").write_bytes(bytes(2000))
    return folder


@pytest.fixture
def client(files, tmp_path):
    routes = [Mount("/static", StaticFiles(directory=files))]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(Compressed, tmp_path / "kept")])) as client:
        yield client


def test_a_script_is_compressed_and_comes_out_as_it_was(client):
    with client.stream("GET", "/static/script.js", headers=BROTLI) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(sent) < len(SCRIPT) / 10
    assert brotli.decompress(sent).decode() == SCRIPT


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/static/script.js", {"accept-encoding": "gzip"}),
        ("/static/script.js", {"accept-encoding": ""}),
        ("/static/script.js", {"accept-encoding": "gzip, br;q=0"}),
        ("/static/script.js", {"accept-encoding": "br; q=0.000"}),
        ("/static/script.js", {**BROTLI, "range": "bytes=0-99"}),
        ("/static/font.woff2", BROTLI),
        ("/static/small.js", BROTLI),
        ("/static/none.js", BROTLI),
    ],
)
def test_all_else_is_sent_as_it_is(client, files, path, headers):
    answer = client.get(path, headers=headers)
    assert "content-encoding" not in answer.headers
    if answer.status_code != 404:
        whole = (files / path.rpartition("/")[2]).read_bytes()
        assert answer.content == (whole[:100] if "range" in headers else whole)


def test_a_browser_that_has_it_gets_it_by_name_alone(client):
    first = client.get("/static/script.js", headers=BROTLI)
    again = client.get("/static/script.js", headers={**BROTLI, "if-modified-since": first.headers["last-modified"]})
    assert (again.status_code, again.content) == (304, b"")
    both = {"if-none-match": first.headers["etag"], "if-modified-since": first.headers["last-modified"]}
    again = client.get("/static/script.js", headers={**BROTLI, **both})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get("/static/script.js", headers={**BROTLI, **both, "if-none-match": '"other-br"'})
    assert (other.status_code, other.text) == (200, SCRIPT)
    assert client.get("/static/script.js", headers={"accept-encoding": "br;q=0.1"}).headers["content-encoding"] == "br"


def test_it_is_compressed_once_and_by_the_next_server_not_at_all(client, files, tmp_path, monkeypatch):
    client.get("/static/script.js", headers=BROTLI)

    def compressed_again(*_, **__):
        raise AssertionError("compressed again")

    monkeypatch.setattr(serving.brotli, "compress", compressed_again)
    client.get("/static/script.js", headers=BROTLI)
    routes = [Mount("/static", StaticFiles(directory=files))]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(Compressed, tmp_path / "kept")])) as other:
        assert other.get("/static/script.js", headers=BROTLI).text == SCRIPT


def test_what_is_kept_in_memory_is_bounded(client, files, monkeypatch):
    monkeypatch.setattr(serving, "MOST", 300)
    for number in range(20):
        (files / f"script{number}.js").write_text(f"{SCRIPT}// {number}")
        assert client.get(f"/static/script{number}.js", headers=BROTLI).text.endswith(f"// {number}")
    layer = client.app.middleware_stack.app
    while not isinstance(layer, Compressed):
        layer = layer.app
    assert 0 < sum(map(len, layer.kept.values())) <= 300


def test_every_script_sent_ahead_is_one_that_streamlit_has():
    app = Starlette(routes=[Route("/{page}", lambda request: HTMLResponse("page"))], middleware=[Middleware(Ahead)])
    with TestClient(app) as client:
        for page, names in AHEAD.items():
            links = client.get(f"/{page}").headers["link"]
            assert [re.search(rf"/{name}\.[\w-]+\.js>", links) for name in names].count(None) == 0
        assert "link" not in client.get("/data").headers


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://here/explore?case=speech&task=digits", "/explore?case=speech&task=digits"),
        ("http://here/", "/"),
        ("http://there/explore", ""),
        ("http://here@there/explore", ""),
        ("http://here//there/explore", ""),
        ("/\\there", ""),
        ("http://here/a\nb", "/ab"),  # urlsplit drops line ends
        ("http://[", ""),
        ("", ""),
        ("http://here/advisor?" + "a" * 5000, "/advisor"),
    ],
)
def test_only_a_place_on_this_host_is_come_back_to(url, expected):
    assert place(url, "here") == expected


def test_a_sign_in_leads_back_to_the_link_that_was_opened():
    async def away(request: Request):
        return RedirectResponse("http://provider/authorize", 302)

    async def back(request: Request):
        return RedirectResponse("/", 302)

    routes = [Route("/auth/login", away), Route("/oauth2callback", back)]
    app = Starlette(routes=routes, middleware=[Middleware(Returning)])
    with TestClient(app, "http://here", follow_redirects=False) as client:
        client.get("/auth/login", headers={"referer": "http://here/explore?saved=1"})
        assert client.get("/oauth2callback").headers["location"] == "/explore?saved=1"
        assert client.get("/oauth2callback").headers["location"] == "/", "it is used once"
        names = "Пётр, Мария; Анна (2)"
        long = f"/advisor?names={quote(names * 26)}"
        assert 2_600 < len(long) < 3_000
        answer = client.get("/auth/login", headers={"referer": f"http://here{long}"})
        assert len(answer.headers["set-cookie"]) < 4_096
        assert client.get("/oauth2callback").headers["location"] == long
        client.get("/auth/login", headers={"referer": "http://here/explore?a=b;c(d)&e=%41+f"})
        back = client.get("/oauth2callback").headers["location"]
        assert unquote(back) == unquote("/explore?a=b;c(d)&e=%41+f")
        client.get("/auth/login", headers={"referer": "http://there/explore"})
        assert client.get("/oauth2callback").headers["location"] == "/"
        client.cookies.set(RETURN, "https%3A%2F%2Fthere%2F")
        assert client.get("/oauth2callback").headers["location"] == "/"


@pytest.mark.parametrize(("length", "location"), [(400_000, None), (1_000_000, "?" + "x" * 8_000)])
def test_a_link_longer_than_streamlit_reads_is_opened_without_its_end(length, location):
    sent = []

    async def page(scope, receive, send):
        await PlainTextResponse("the page")(scope, receive, send)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "//elsewhere/", "query_string": b"x" * length, "headers": []}
    asyncio.run(Short(page)(scope, None, send))
    assert dict(Headers(raw=sent[0]["headers"])).get("location") == location
