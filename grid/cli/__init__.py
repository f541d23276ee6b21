"""The command line, `augrid`: options and help, no work."""
