"""From the tables of a results folder to statistics, figures, tables and a report; runs without torch."""
