"""One LoRA, from encoded data to stored adapter."""
