"""Pictures from a base and adapters."""
