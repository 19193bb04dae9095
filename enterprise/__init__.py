"""Where: Enterprise → Site → Area → Line → Machine, and the shift calendar."""
