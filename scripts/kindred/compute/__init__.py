"""How work meets the machine: devices, memory, compilation, several GPUs."""
