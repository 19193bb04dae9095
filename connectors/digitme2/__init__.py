"""Answer the calls that DigitME2's tablets and devices make, at the paths and in the words that they know."""
