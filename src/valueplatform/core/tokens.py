"""Secrets that machines and browsers carry: 256 random bits, of which only the SHA-256 is kept.

A fast hash is right here. Slow ones (argon2) protect what people choose, by making each guess dear; a secret of 256
random bits cannot be guessed at any speed, and a slow hash would be paid for with every single request.
"""

import hmac
import secrets
from hashlib import sha256
from typing import Final

TOKEN_BYTES: Final = 32
TOKEN_LENGTH: Final = 43
"""Characters of a token: 32 bytes in base64url without padding."""


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()


def token_matches(token: str, kept: bytes) -> bool:
    """Whether `kept` is the hash of the token, in a time that does not tell how much of it is."""
    return hmac.compare_digest(token_hash(token), kept)
