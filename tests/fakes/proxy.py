"""A proxy for a browser that sends everything through it: one site passes, whatever else was asked for is written down.

with RecordingProxy(site.url) as proxy:
    browser = chromium.launch(args=[f"--proxy-server={proxy.url}", "--proxy-bypass-list=<-loopback>"])
    ...
    assert proxy.outside == []
"""

import asyncio
import contextlib
import re
import threading
from typing import Self
from urllib.parse import urlsplit

# What Chromium asks its maker by itself, whatever it is told: for updates, about accounts, how forms are filled in.
_ITS_OWN = re.compile(r"\w+ (http://)?[a-z-]+\.(google|googleapis|gvt1)\.com[:/].*")
_REFUSAL = b"HTTP/1.1 502 Not Here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_CONNECTION = re.compile(rb"\r\n(?:Proxy-)?Connection: [^\r]*", re.IGNORECASE)


class RecordingProxy:
    """`inside` and `outside` are what was asked of the site and of all others, as "GET http://…" or "CONNECT host:443".

    What goes to other places is refused, so that nobody need be there; of TLS the host alone is seen.
    """

    def __init__(self, site: str) -> None:
        self.inside: list[str] = []
        self.outside: list[str] = []
        self._site = urlsplit(site)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(5)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopping.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        try:
            # One request for each connection: those after the first would go by unseen.
            await self._one_request(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one_request(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        place = target if method == "CONNECT" else urlsplit(target).netloc
        if place != self._site.netloc:
            if not _ITS_OWN.fullmatch(f"{method} {target}"):
                self.outside.append(f"{method} {target}")
            writer.write(_REFUSAL)
            await writer.drain()
            return
        self.inside.append(f"{method} {target}")
        from_site, to_site = await asyncio.open_connection(self._site.hostname, self._site.port)
        with contextlib.closing(to_site):
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                to_site.write(_for_the_site(head, f"{self._site.scheme}://{place}"))
            await _both_ways((reader, to_site), (from_site, writer))


def _for_the_site(head: bytes, origin: str) -> bytes:
    """The request as a browser without a proxy sends it, and as the only one of its connection."""
    line, rest = head.replace(origin.encode(), b"", 1).split(b"\r\n", 1)
    return line + b"\r\nConnection: close" + _CONNECTION.sub(b"", b"\r\n" + rest)


async def _both_ways(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Until one side is done."""
    copying = [asyncio.create_task(_copy(reader, writer)) for reader, writer in ways]
    try:
        await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in copying:
            task.cancel()
        await asyncio.gather(*copying, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(2**16):
        writer.write(piece)
        await writer.drain()
