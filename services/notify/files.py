"""The files that go with a mail, out of the blob store, up to a size that relays take."""

from collections.abc import Sequence

from services.notify.domain.wire import File
from services.notify.stationery import Files
from shared.blobs import BlobMissingError, Blobs
from shared.contracts.base import Attachment

FILES_BYTES = 15_000_000
"""All files of one mail; base64 makes a third more of it."""


async def load_files(
    blobs: Blobs,
    attachments: Sequence[Attachment],
    *,
    limit_bytes: int = FILES_BYTES,
    with_pictures: bool = False,
) -> Files:
    """Load in order what fits; what does not, or is no longer there, is named as left out.

    ``with_pictures``: the mail's HTML shows files by their content ids.
    """
    sent: list[File] = []
    left_out: list[Attachment] = []
    for attachment in attachments:
        if attachment.size_bytes > limit_bytes:
            left_out.append(attachment)
            continue
        try:
            data = await blobs.get(attachment.blob)
        except BlobMissingError:
            left_out.append(attachment)
            continue
        limit_bytes -= len(data)
        identity = attachment.content_id if with_pictures else ""
        sent.append(File(attachment.name, attachment.content_type, data, identity))
    return Files(
        sent=tuple(sent),
        left_out=tuple(a.name for a in left_out),
        left_out_blobs=frozenset(a.blob for a in left_out),
    )
