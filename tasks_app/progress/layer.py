"""The channel layer: Redis's, whose sockets can connect while the broker is away."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from channels_redis.pubsub import RedisPubSubChannelLayer


class ChannelLayer(RedisPubSubChannelLayer):
    async def new_channel(self, prefix: str = "specific.") -> str:
        """A channel that this process alone knows. All frames come through groups, so the broker need not know it."""
        layer = self._get_layer()
        channel = f"{layer.prefix}{prefix}{uuid4().hex}"
        layer.channels[channel] = asyncio.Queue()
        return channel
