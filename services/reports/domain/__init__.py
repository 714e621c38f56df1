"""Rules of projections, months and figures: values in, values out."""
