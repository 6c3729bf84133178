"""Digests: what is new in a story, sent to those who chose to be told."""
