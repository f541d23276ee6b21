"""What a trained model says of texts: bits, exact ranks, best tokens."""
