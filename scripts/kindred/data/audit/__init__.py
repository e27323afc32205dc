"""What photos and captions can and can't teach."""
