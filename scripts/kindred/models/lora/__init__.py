"""LoRA files and layers: injecting, reading, converting, exporting."""
