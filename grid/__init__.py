"""A YAML grid spec becomes cells, cells become steps, and steps run somewhere."""
