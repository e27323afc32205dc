"""Base models: opening them, their weights, their architectures, their LoRA files."""
