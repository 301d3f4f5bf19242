"""Uploads in Scenario's form, and the jobs that its clients take them for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from enlarger.accounts import Caller
from enlarger.assets import Upload, UploadState
from enlarger.dialects.scenario.assets import AUTHOR, HIDDEN
from enlarger.errors import NotFound
from enlarger.moment import zulu_of
from enlarger.service import PartLink, Service

UPLOAD_MARK, JOB_MARK = "upload_", "job_"
JOB_ID = re.compile(r"job_[A-Za-z0-9]{24}")
"""An upload's job has the upload's id with this other beginning."""
JOB_STATUS = {
    UploadState.PENDING: "pending",
    UploadState.IMPORTED: "success",
    UploadState.FAILED: "failure",
}


def job_id_of(upload: Upload) -> str:
    """The id that the upload has as a job."""
    return upload.id.replace(UPLOAD_MARK, JOB_MARK, 1)


def upload_of(upload: Upload, links: Sequence[PartLink]) -> dict[str, Any]:
    """An upload on the wire.

    links  where its parts go to; none once it has ended.
    """
    shown: dict[str, Any] = {
        "id": upload.id,
        "authorId": upload.asset["memo"].get(AUTHOR, upload.workspace_id),
        "ownerId": upload.workspace_id,
        "createdAt": zulu_of(upload.created_ms),
        "updatedAt": zulu_of(upload.updated_ms),
        "fileName": upload.file_name,
        "originalFileName": upload.file_name,
        "fileSize": upload.size_bytes,
        "contentType": upload.media_type,
        "kind": "image",
        "source": "multipart" if upload.part_count else "url",
        "status": str(upload.state),
        "jobId": job_id_of(upload),
        "partsCount": upload.part_count,
        "parts": [
            {"number": link.number, "url": link.url, "expires": zulu_of(link.expires_ms)} for link in links
        ],
        "assetOptions": {
            "hide": bool(upload.asset["memo"].get(HIDDEN)),
            "parentId": upload.asset["parent_id"],
            "collectionIds": [],
        },
    }
    if upload.state is UploadState.IMPORTED:
        shown["entityId"] = upload.asset_id
    if upload.error_message is not None:
        shown["errorMessage"] = upload.error_message
    return shown


def upload_job(upload: Upload) -> dict[str, Any]:
    """The job of an upload on the wire; once it is imported, `metadata.output.entityId` is the asset."""
    status = JOB_STATUS[upload.state]
    is_done = upload.state is UploadState.IMPORTED
    metadata: dict[str, Any] = {
        "assetIds": [upload.asset_id] if is_done else [],
        "input": {
            "fileName": upload.file_name,
            "fileSize": upload.size_bytes,
            "contentType": upload.media_type,
            "kind": "image",
        },
    }
    if is_done:
        metadata["output"] = {"entityId": upload.asset_id, "status": str(upload.state)}
    if upload.error_message is not None:
        metadata["error"] = upload.error_message
    history = [{"status": "pending", "date": zulu_of(upload.created_ms)}]
    if upload.state is not UploadState.PENDING:
        history.append({"status": status, "date": zulu_of(upload.updated_ms)})
    sent = sum(part.size_bytes for part in upload.parts)
    return {
        "jobId": job_id_of(upload),
        "jobType": "upload",
        "status": status,
        "progress": sent / upload.size_bytes if upload.state is UploadState.PENDING else 1,
        "metadata": metadata,
        "statusHistory": history,
        "createdAt": zulu_of(upload.created_ms),
        "updatedAt": zulu_of(upload.updated_ms),
        "authorId": upload.asset["memo"].get(AUTHOR, upload.workspace_id),
        "ownerId": upload.workspace_id,
        "billing": {"cuCost": 0, "cuDiscount": 0},
    }


async def find_upload_job(service: Service, caller: Caller, job_id: str) -> dict[str, Any]:
    """The job of an upload by the job's id. Raises NotFound where no upload has this job."""
    if not JOB_ID.fullmatch(job_id):
        raise NotFound(f"there is no job {job_id[:60]!r}")
    try:
        return upload_job(await service.uploads.get(caller, job_id.replace(JOB_MARK, UPLOAD_MARK, 1)))
    except NotFound:
        raise NotFound(f"there is no job {job_id}") from None
