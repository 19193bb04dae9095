"""DigitME2: the calls that its tablets and devices make, answered at their old addresses."""
