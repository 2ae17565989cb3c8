"""What watches on behalf of the streams, inside one loop."""

from __future__ import annotations

import asyncio

import pytest

from ullage.serve.feed import Feed
from ullage.serve.knowledge import Knowledge


@pytest.mark.process
@pytest.mark.parametrize("steps", range(6))
def test_an_end_that_comes_together_with_a_stream_is_no_less_an_end(environ: dict[str, str], steps: int) -> None:
    """However many steps of the loop lie between the two, of those that waking up takes."""

    async def life() -> None:
        feed = Feed(Knowledge(environ), [])
        with feed.stream(None):
            watching = asyncio.create_task(feed.run())
            # What the first stream changes settles in less.
            await asyncio.sleep(0.5)
            with feed.stream(None):
                for _ in range(steps):
                    await asyncio.sleep(0)
                watching.cancel()
                done, _ = await asyncio.wait({watching}, timeout=30)
        assert done
        assert watching.cancelled()

    asyncio.run(life())
