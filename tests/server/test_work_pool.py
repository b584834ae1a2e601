import asyncio
import threading

import pytest

from recommender.server.errors import Problem
from recommender.server.work_pool import WorkPool


def test_what_is_too_much_is_refused_and_the_rest_is_done() -> None:
    async def flood() -> list[object]:
        pool = WorkPool("test", threads=1, waiting=2, seconds=10)
        go_on = threading.Event()
        asked = [asyncio.create_task(pool.run(go_on.wait, 10)) for _ in range(5)]
        await asyncio.sleep(0.1)
        assert pool.pending == 3
        go_on.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert await pool.run(int, "7") == 7
        pool.close()
        return list(found)

    found = asyncio.run(flood())
    refused = [one for one in found if isinstance(one, Problem)]
    assert [one.status for one in refused] == [503, 503]
    assert all(one.headers["Retry-After"] for one in refused)
    assert found.count(True) == 3


def test_what_takes_too_long_occupies_its_thread_until_it_ends() -> None:
    async def slow() -> None:
        pool = WorkPool("test", threads=1, waiting=1, seconds=0.05)
        go_on = threading.Event()
        with pytest.raises(Problem, match="too long"):
            await pool.run(go_on.wait, 10)
        assert pool.pending == 1
        go_on.set()
        for _ in range(100):
            if not pool.pending:
                break
            await asyncio.sleep(0.01)
        assert pool.pending == 0
        pool.close()
        with pytest.raises(Problem, match="stopping"):
            await pool.run(int)

    asyncio.run(slow())


def test_the_event_loop_goes_on_while_a_thread_works() -> None:
    async def both() -> int:
        pool = WorkPool("test", threads=1, waiting=0, seconds=10)
        go_on = threading.Event()
        asked = asyncio.create_task(pool.run(go_on.wait, 10))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        go_on.set()
        await asked
        pool.close()
        return turns

    assert asyncio.run(both()) == 100


def test_errors_of_the_work_are_its_callers() -> None:
    async def failing() -> None:
        pool = WorkPool("test", threads=1, waiting=1, seconds=10)
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 / 0)
        assert pool.pending == 0
        pool.close()

    asyncio.run(failing())


def test_what_comes_when_nobody_waits_any_more_is_discarded() -> None:
    async def late() -> list[str]:
        pool = WorkPool("test", threads=1, waiting=2, seconds=0.05)
        go_on = threading.Event()
        discarded: list[str] = []

        def opened(name: str) -> str:
            go_on.wait(10)
            return name

        with pytest.raises(Problem):
            await pool.run(opened, "late", discard=discarded.append)
        left = asyncio.create_task(pool.run(opened, "left", discard=discarded.append))
        go_on.set()
        assert await left == "left"
        given_up = asyncio.create_task(pool.run(opened, "given up", discard=discarded.append))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        while pool.pending:
            await asyncio.sleep(0.01)
        pool.close()
        return discarded

    assert set(asyncio.run(late())) <= {"late", "given up"}
