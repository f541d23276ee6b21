"""Raw files become a corpus: cleaned, without duplicates, split, cut into shards."""
