"""Words as the expressions of this folder that do not ignore case want them.

To ignore case costs an expression its look at the first character, which ends most tries.
"""


def lowered(text: str) -> str:
    """Lower case; a Turkish capital İ becomes an i without the dot that Python sets above it."""
    return text.lower().replace("i\u0307", "i")
