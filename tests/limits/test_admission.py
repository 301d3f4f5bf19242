"""Bodies under way: never more bytes than there is room for, in the order in which they came."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enlarger.errors import BusyError
from enlarger.limits.admission import Admission


def test_an_empty_room_lets_in_at_once() -> None:
    async def enter() -> None:
        async with Admission(10).admit(10):
            pass

    asyncio.run(enter())


def test_first_come_first_served_so_that_a_large_one_is_not_starved() -> None:
    async def queue_up() -> list[str]:
        admission = Admission(10)
        order: list[str] = []
        leave = asyncio.Event()

        async def body(name: str, size: int) -> None:
            async with admission.admit(size):
                order.append(name)
                await leave.wait()

        tasks = []
        for name, size in (("first", 6), ("large", 10), ("small", 1), ("small too", 1)):
            tasks.append(asyncio.create_task(body(name, size)))
            await asyncio.sleep(0)
        # There is room for the small ones, but the large one came before them.
        assert order == ["first"]
        leave.set()
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(queue_up()) == ["first", "large", "small", "small too"]


def test_who_waits_too_long_is_told_when_to_come_again() -> None:
    async def wait() -> None:
        admission = Admission(10, patience_s=0.05)
        async with admission.admit(10):
            with pytest.raises(BusyError, match="Too many uploads") as caught:
                async with admission.admit(1):
                    pass
        assert caught.value.status == 503
        assert caught.value.retry_after_s == 5
        async with admission.admit(10):
            pass

    asyncio.run(wait())


def test_who_stood_behind_one_that_gave_up_is_let_in() -> None:
    async def wait() -> None:
        admission = Admission(10)

        async def body(size: int) -> str:
            async with admission.admit(size):
                return "inside"

        async with admission.admit(5):
            large = asyncio.create_task(body(10))
            await asyncio.sleep(0)
            small = asyncio.create_task(body(5))
            await asyncio.sleep(0)
            assert not small.done()
            large.cancel()
            assert await small == "inside"

    asyncio.run(wait())


def test_room_is_given_back_whatever_happens_inside() -> None:
    async def fail() -> None:
        admission = Admission(10, patience_s=0.05)
        with pytest.raises(RuntimeError):
            async with admission.admit(10):
                raise RuntimeError
        async with admission.admit(10):
            pass

    asyncio.run(fail())


def test_a_body_larger_than_the_room_goes_in_alone() -> None:
    async def enter() -> None:
        admission = Admission(10, patience_s=0.05)
        async with admission.admit(1000):
            with pytest.raises(BusyError):
                async with admission.admit(1):
                    pass
        async with admission.admit(10):
            pass

    asyncio.run(enter())


BODIES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4), st.booleans()), min_size=1, max_size=12)


@given(BODIES)
@settings(deadline=None)
def test_never_more_bytes_than_the_room_has_and_all_of_it_comes_back(
    bodies: list[tuple[int, int, bool]],
) -> None:
    async def crowd() -> None:
        admission = Admission(10, patience_s=5)
        inside = 0

        async def body(size: int, turns: int) -> None:
            nonlocal inside
            async with admission.admit(size):
                inside += min(size, 10)
                assert inside <= 10
                try:
                    for _ in range(turns):
                        await asyncio.sleep(0)
                finally:
                    inside -= min(size, 10)

        async def hung_up(size: int, turns: int) -> None:
            task = asyncio.create_task(body(size, 100))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(
            *(hung_up(size, turns) if hangs_up else body(size, turns) for size, turns, hangs_up in bodies)
        )
        assert inside == 0
        async with admission.admit(10):
            pass

    asyncio.run(crowd())
