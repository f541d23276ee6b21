"""What a reader is given: difference tables, sentences, LaTeX, and one self-contained report.html."""
