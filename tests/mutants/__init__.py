"""Ways of breaking the program on purpose, one patch each: a check that catches none of them proves nothing."""
