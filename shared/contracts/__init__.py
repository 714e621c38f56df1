"""What services say to each other: one file for each topic, pydantic and nothing else."""
