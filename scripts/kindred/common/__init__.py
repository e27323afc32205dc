"""Files, hashes, errors, progress: what knows nothing of pictures."""
