"""sqlalchemy-dlock over asyncpg or aiomysql: does what the lines on its input say.

Each line is a JSON object, and so is each answer. Times are in seconds, by this process's clock.
"""

import asyncio
import json
import os
import sys
import threading
import time

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy_dlock import create_async_sadlock


class Peer:
    def __init__(self):
        self.engine = self.waiter = self.waiting = None
        self.key = None
        self.locks = []

    async def connect(self, url, key, connections):
        # Autocommit: otherwise every lock also begins a transaction and leaves it open.
        self.engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self.key = key
        self.locks = [await self.lock(key + index) for index in range(connections)]

    async def lock(self, key):
        connection = await self.engine.connect()
        key = key if self.engine.name == "postgresql" else str(key)
        return create_async_sadlock(connection, key)

    async def pairs(self, count):
        async def run(lock):
            for _ in range(count):
                await lock.acquire()
                await lock.release()

        start, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(run, self.locks))
        return {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu}

    async def acquire(self):
        await self.locks[0].acquire()

    async def release(self):
        await self.locks[0].release()

    async def wait(self):
        self.waiter = await self.lock(self.key)

        async def run():
            await self.waiter.acquire()
            got = time.perf_counter()
            await self.waiter.release()
            return got

        self.waiting = asyncio.create_task(run())

    async def hand_over(self):
        released = time.perf_counter()
        await self.locks[0].release()
        took = await self.waiting - released
        await self.waiter.connection_or_session.close()
        return {"wall": took}

    async def drop(self):
        self.waiting.cancel()

    async def discard(self):
        await asyncio.wait([self.waiting])
        if not self.waiting.cancelled():
            # How a cancelled wait ends is the driver's business.
            self.waiting.exception()
        connection = self.waiter.connection_or_session
        await connection.invalidate()
        await connection.close()

    async def time_out(self, seconds):
        waiter = await self.lock(self.key)
        start = time.perf_counter()
        acquired = await waiter.acquire(timeout=seconds)
        took = time.perf_counter() - start
        await waiter.connection_or_session.close()
        return {"wall": took, "acquired": acquired}


def listen(loop, lines):
    """Puts each line of the input where the loop finds it; the process ends with its input."""
    for line in sys.stdin:
        loop.call_soon_threadsafe(lines.put_nowait, line)
    os._exit(0)


async def main():
    peer, lines = Peer(), asyncio.Queue()
    loop = asyncio.get_running_loop()
    threading.Thread(target=listen, args=(loop, lines), daemon=True).start()
    while True:
        command = json.loads(await lines.get())
        try:
            answer = await getattr(peer, command.pop("do"))(**command) or {}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
