"""Training pictures put together from people cut out of photos."""
