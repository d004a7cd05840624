"""What the server does besides running pages: static files sent compressed and ahead, links that survive a sign-in or
their own length.

Streamlit leaves its static files uncompressed because its own middleware would compress them again at every request.
Here each is compressed once (Brotli, RFC 7932) and kept, in memory and on disk, named by what was compressed; the names
of those files hold a hash, and Streamlit already lets browsers keep them for a year.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import brotli
import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util
from uvicorn.protocols.http import h11_impl

from engines.core.files import replacing
from engines.datasets import cache_directory

QUALITY = 9  # of 11: the charts' script of 4.7 MB takes a second, once for each machine
LEAST, MOST = 500, 32_000_000  # bytes: of a file worth compressing, of all that is kept in memory
TEXT = re.compile(r"\.(js|css|json|svg|html)$")
# Page -> scripts of Streamlit that it will ask for as soon as it is drawn: browsers fetch them while it is.
AHEAD = {"explore": ("PlotlyChart", "Slider", "Selectbox", "ButtonGroup", "Metric")}
RETURN = "crossover_return"  # the cookie that holds where a visitor was when they went to sign in
MOST_LINK = 2_100_000  # bytes of a request's head: browsers send no longer links
MOST_QUERY, CUT = 500_000, 8_000  # characters after a link's "?": Streamlit reads none that are more; what is left then
PATIENCE = 600  # seconds that it is kept
MOST_KEPT = 3_800  # characters of the cookie's value: browsers keep no cookie of over 4,096 in all


class Compressed:
    """Middleware: files under /static/ as Brotli, for browsers that take it."""

    def __init__(self, app: ASGIApp, folder: Path | None = None) -> None:
        self.app = app
        self.folder = folder or cache_directory() / "static"
        self.kept: dict[bytes, bytes] = {}
        self.lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _wanted(scope):
            await self.app(scope, receive, send)
            return
        scope, had = _unnamed(scope)
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] == "http.response.body" and _whole(start):
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                body, headers = b"".join(parts), MutableHeaders(raw=start["headers"])
                headers.add_vary_header("Accept-Encoding")
                if len(body) >= LEAST:
                    body = await self.compress(body)
                    headers["content-encoding"], headers["content-length"] = "br", str(len(body))
                    _name(headers)
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            if start:  # not modified, not found, a part of a file: as it is
                if had and start["status"] == 304:
                    _name(MutableHeaders(raw=start["headers"]))
                await send(start)
                start = {}
            await send(message)

        await self.app(scope, receive, collect)

    async def compress(self, body: bytes) -> bytes:
        """Brotli of `body`; computed once, whoever asks."""
        name = hashlib.sha256(body).digest()
        async with self.lock:
            if name not in self.kept:
                self.kept[name] = await asyncio.to_thread(self._compressed, name, body)
                while sum(map(len, self.kept.values())) > MOST:
                    del self.kept[next(iter(self.kept))]
            return self.kept[name]

    def _compressed(self, name: bytes, body: bytes) -> bytes:
        file = self.folder / f"{name.hex()}.{QUALITY}.br"
        try:
            return file.read_bytes()
        except OSError:
            made: bytes = brotli.compress(body, quality=QUALITY)
        try:
            with replacing(file) as aside:
                aside.write_bytes(made)
        except OSError:  # a cache that cannot be written to: the next server compresses again
            pass
        return made


class Ahead:
    """Middleware: the HTML of a page names the scripts that it will need (a Link header), so that the browser fetches
    and compiles them while the server still works out what to draw."""

    def __init__(self, app: ASGIApp, scripts: Path | None = None) -> None:
        self.app = app
        scripts = scripts or Path(file_util.get_static_dir()) / "static" / "js"
        self.links = {
            page: ", ".join(
                f"<./static/js/{file.name}>; rel=modulepreload; crossorigin"
                for name in names
                for file in sorted(scripts.glob(f"{name}.*.js"))
            )
            for page, names in AHEAD.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        links = self.links.get(scope.get("path", "").rpartition("/")[2], "")
        if scope["type"] != "http" or not links:
            await self.app(scope, receive, send)
            return

        async def linked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = MutableHeaders(raw=message["headers"])
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("link", links)
            await send(message)

        await self.app(scope, receive, linked)


class Returning:
    """Middleware: who signs in comes back to the link that they opened. Streamlit's login ends on the front page.

    Where the visitor was (path and query alone, never another site) is kept in a cookie from the way to the provider
    until the way back: as a link, with what no cookie holds encoded as links encode it, so that nothing is decoded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        leaving, coming = path.endswith("/auth/login"), path.endswith("/oauth2callback")
        if scope["type"] != "http" or not (leaving or coming):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def redirected(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(raw=message["headers"])
                if leaving:
                    where = place(headers.get("referer", ""), headers.get("host", ""))
                    answer.append("set-cookie", _cookie(where, PATIENCE if where else 0))
                elif back := cookie_parser(headers.get("cookie", "")).get(RETURN, ""):
                    if message["status"] == 302 and place(back) == back:
                        answer["location"] = back
                    answer.append("set-cookie", _cookie("", 0))
            await send(message)

        await self.app(scope, receive, redirected)


class Short:
    """Middleware: a link that is longer than Streamlit reads is opened anew without its end. What is left makes no more
    sense than the whole did, and the page says so; the whole would open it without a word."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"")
        if scope["type"] == "http" and len(query) > MOST_QUERY:
            await RedirectResponse(f"?{query[:CUT].decode('latin-1')}")(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def failed(error: Exception) -> bool:
    """What a visitor sees of a fault that nothing caught; Streamlit has written it to the log. True: nothing else is
    shown of it."""
    st.error(
        "This page could not be drawn, and the fault is not yours: the server's log says what went wrong. Load the "
        "page again, or go on with another one.",
        icon=":material/error:",
    )
    return True


def place(url: str, host: str = "") -> str:
    """Path and query of an address on this `host`, as they are written, or the path alone where a cookie could not hold
    both; "" for other hosts and what is no path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    there = f"{parts.path}?{parts.query}" if parts.query else parts.path
    plain = all(32 < ord(letter) < 127 and letter != "\\" for letter in there)
    if parts.netloc != host or not there.startswith("/") or there.startswith("//") or not plain:
        return ""
    return there if len(_held(there)) <= MOST_KEPT else parts.path


def _held(link: str) -> str:
    """A link as a cookie can hold it; as a link it means the same."""
    return quote(link, safe="/?=&%:,+")


def _cookie(value: str, seconds: int) -> str:
    return f"{RETURN}={_held(value)}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"


def _name(headers: MutableHeaders) -> None:
    """The compressed representation has a name of its own."""
    if headers.get("etag"):
        headers["etag"] = f'{headers["etag"].rstrip(chr(34))}-br"'


def _unnamed(scope: Scope) -> tuple[Scope, bool]:
    """The request with the names of compressed files that the browser has as the files' own; whether there were any."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    names = headers.get("if-none-match", "")
    if '-br"' not in names:
        return scope, False
    headers["if-none-match"] = names.replace('-br"', '"')
    return {**scope, "headers": headers.raw}, True


def _wanted(scope: MutableMapping[str, Any]) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    takes = _takes_brotli(headers.get("accept-encoding", ""))
    return takes and "range" not in headers and "/static/" in scope["path"] and bool(TEXT.search(scope["path"]))


def _takes_brotli(accepted: str) -> bool:
    """Whether it is among the encodings that a browser names, and not with a weight of 0."""
    named = (each.replace(" ", "").lower().partition(";") for each in accepted.split(","))
    return any(name == "br" and not re.fullmatch(r"q=0(\.0*)?", weight) for name, _, weight in named)


def _whole(start: Message) -> bool:
    return bool(start) and start["status"] == 200 and "content-encoding" not in Headers(raw=start["headers"])


def long_links() -> None:
    """Let links of up to two million characters in: at 64 KB the parser of requests (h11) ends them with a bare 400,
    where a page falls back with a sentence. Streamlit has no option for it."""
    h11_impl.DEFAULT_MAX_INCOMPLETE_EVENT_SIZE = MOST_LINK
