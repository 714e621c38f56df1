"""Takes mail in: 250 means journaled; then reads it and tells the desk."""
