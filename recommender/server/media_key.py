"""Signs who may load sounds and pictures without sending a secret each time."""

import hashlib
import hmac
import secrets

VALID_S = 12 * 3600


class MediaKey:
    """Signs who may load sounds and pictures, and until when."""

    def __init__(self) -> None:
        """A key of this process."""
        self._key = secrets.token_bytes(32)

    def signed(self, user: str, now: float) -> str:
        """The value of a cookie."""
        text = f"{user}|{int(now) + VALID_S}"
        return f"{text}|{self._digest(text)}"

    def user_of(self, value: str, now: float) -> str | None:
        """The user whom a value names, if it was signed here and still holds."""
        text, _, digest = value.rpartition("|")
        if not hmac.compare_digest(digest.encode(), self._digest(text).encode()):
            return None
        user, _, until = text.rpartition("|")
        return user if int(until) > now else None

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
