"""The decoder and the reference implementations."""
