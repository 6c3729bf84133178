"""Secrets that machines and browsers carry."""

from valueplatform.core.tokens import TOKEN_LENGTH, new_token, token_hash, token_matches


def test_tokens_differ_and_are_as_long_as_the_pattern_of_keys_expects() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {TOKEN_LENGTH}


def test_a_token_matches_its_own_hash_only() -> None:
    token = new_token()
    assert token_matches(token, token_hash(token))
    assert not token_matches(token + " ", token_hash(token))
    assert not token_matches(token, bytes(32))
    assert not token_matches(token, b"")


def test_what_is_kept_does_not_hold_the_token() -> None:
    token = new_token()
    assert token.encode() not in token_hash(token)


def test_text_that_is_no_unicode_is_compared_like_any_other() -> None:
    assert not token_matches("\ud800", token_hash(new_token()))
