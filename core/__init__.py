"""What every floor stands on; it knows no factory noun."""
