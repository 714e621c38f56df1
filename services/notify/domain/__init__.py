"""Who is told what, and how a mail is put together: values in, values out."""
