"""`augrid rewrite`: pieces of files are rewritten by processes of their own."""
