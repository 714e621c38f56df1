"""Rules of time and targets: values in, values out."""
