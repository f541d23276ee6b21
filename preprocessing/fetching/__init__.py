"""What sources share: reading files and records, and asking servers."""
