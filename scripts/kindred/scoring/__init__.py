"""From pictures to rows of scores."""
