"""The channel layer: Redis's, whose sockets can connect while the broker is away."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import uuid4

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import RedisError

BROKER_SECONDS = 1.0
BROKER_AWAY = (RedisError, OSError, TimeoutError)


class ChannelLayer(RedisPubSubChannelLayer):
    async def new_channel(self, prefix: str = "specific.") -> str:
        """A channel that this process alone knows. All frames come through groups, so the broker need not know it."""
        layer = self._get_layer()
        channel = f"{layer.prefix}{prefix}{uuid4().hex}"
        layer.channels[channel] = asyncio.Queue()
        return channel


async def join(group: str, channel: str) -> bool:
    """Have the group's frames come through the channel. False if the broker cannot be reached just now."""
    try:
        await asyncio.wait_for(get_channel_layer().group_add(group, channel), BROKER_SECONDS)
    except BROKER_AWAY:
        return False
    return True


async def leave(group: str, channel: str) -> None:
    """Undo `join`, whether or not the broker can be reached."""
    with contextlib.suppress(*BROKER_AWAY):
        await asyncio.wait_for(get_channel_layer().group_discard(group, channel), BROKER_SECONDS)
