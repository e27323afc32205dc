"""From photos and captions to encoded training data."""
