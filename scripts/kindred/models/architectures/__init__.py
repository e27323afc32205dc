"""What holds for one kind of base model each."""
