"""How many are asked at once: fewer where it is too much, more again with each answer."""

import asyncio

from ends import ends
from tunewright.generate._pace import Pace


def test_it_is_halved_once_for_those_that_were_under_way_together():
    async def course() -> list[int]:
        pace, found = Pace(8), list[int]()
        async with pace as first, pace as second:
            pass
        for begun in (first, second):
            pace.slower(begun)
            found.append(pace.allowed)
        for _ in range(5):
            async with pace as begun:
                pace.slower(begun)
            found.append(pace.allowed)
        return found

    assert asyncio.run(course()) == [4, 4, 2, 1, 1, 1, 1]


def test_answers_bring_it_back_and_the_next_loop_goes_on_with_it():
    async def course(pace: Pace, answers: int) -> Pace:
        for _ in range(answers):
            async with pace:
                pace.answered()
        return pace

    async def slowed() -> Pace:
        pace = Pace(4)
        for _ in range(3):
            async with pace as begun:
                pace.slower(begun)
        return pace

    slow = asyncio.run(slowed())
    assert (slow.allowed, slow.answers) == (1, 0)
    quick = asyncio.run(course(Pace(4, after=slow), 1))
    assert (quick.allowed, quick.answers) == (2, 1)
    assert asyncio.run(course(Pace(4, after=quick), 50)).allowed == 4


def test_no_more_are_under_way_than_may_be_and_all_get_their_turn():
    async def course() -> tuple[int, int]:
        pace = Pace(5)
        under_way = most = done = 0

        async def one() -> None:
            nonlocal under_way, most, done
            async with pace as begun:
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0)
                if done % 7 == 3:
                    pace.slower(begun, 0.001)
                else:
                    pace.answered()
                under_way -= 1
                done += 1

        await asyncio.gather(*(one() for _ in range(300)))
        return most, done

    with ends():
        assert asyncio.run(course()) == (5, 300)
