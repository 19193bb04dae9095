"""Files in a folder: for machines that only write logs."""
