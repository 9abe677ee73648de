"""A light keep-alive load generator: prints p50 and p95 in ms and requests/s as JSON."""

import argparse
import asyncio
import json
import time

import uvloop

_BODY = json.dumps(
    {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Is the harbour open today?"}],
    }
).encode()


async def _client(port: int, count: int, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        b"authorization: Bearer sk-bench\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_BODY)
    ) + _BODY
    for _ in range(count):
        started = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"answered {head[:80]!r}")
        at = head.find(b"content-length:")
        if at >= 0:
            await reader.readexactly(int(head[at + 15 :].split(b"\r\n")[0]))
        else:
            await reader.readuntil(b"0\r\n\r\n")
        times.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()


async def _measure(port: int, concurrency: int, count: int) -> dict[str, float]:
    await _client(port, 20, [])
    times: list[float] = []
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(_client(port, count // concurrency, times))
    seconds = time.perf_counter() - started
    times.sort()
    return {
        "p50_ms": 1000 * times[len(times) // 2],
        "p95_ms": 1000 * times[int(len(times) * 0.95)],
        "rps": len(times) / seconds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    given = parser.parse_args()
    print(json.dumps(uvloop.run(_measure(given.port, given.concurrency, given.count))))
