"""Practice: a demo plant, simulated devices, replay of logs."""
