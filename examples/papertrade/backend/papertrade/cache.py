"""Redis: recent quotes and the count of failed logins."""

import redis

from papertrade import config

client = redis.Redis.from_url(config.REDIS_URL, decode_responses=True, socket_timeout=2)


def too_many_attempts(name: str, limit: int = 20) -> bool:
    """Counts an attempt to log in; true when the name is over its limit for ten minutes."""
    key = f"login:{name}"
    attempts = client.incr(key)
    if attempts == 1:
        client.expire(key, 600)
    return attempts > limit
