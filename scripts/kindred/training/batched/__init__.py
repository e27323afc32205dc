"""Many LoRAs trained at once."""
