"""Labels: codes printed in batches, each once; codes read from photos."""
