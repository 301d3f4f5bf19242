"""Every error that Enlarger raises on purpose.

    EnlargerError
      UsageError            the caller can fix the request
        BadParameter        400  a value is missing, of the wrong type or out of range
        UnsupportedPicture  400  the bytes are not a picture that we read
        PictureTooLarge     413  more bytes or pixels than a limit allows
        ModelNotOffered     400  the price list has no price for it
        IdempotencyConflict 409  the key was used for another request
        AssetExists         409  the asset's id is taken
        EncodedBody         415  the body is compressed
        SlowBody            408  the body comes too slowly
      AccessError           who you are, or what you may
        BadKey              401  no key, or one that opens nothing
        OutOfCredit         402  the workspace has too little credit
        SpendCapReached     402  the key has spent what it may
        NotAllowed          403  the key or the member may not do this
        LinkRefused         403  a signed link that has expired or was changed
        TooManyJobs         429  the workspace has as many jobs under way as it may
        TooManyUploads      429  the workspace has as many uploads under way as it may
        RateLimited         429  too many requests; shut out for a time
      NotFound              404  no such thing, or not yours
      BusyError             try again later
        NotReady            503  the server is starting or cannot reach a part of itself
        StorageUnavailable  503  the object store does not answer, or refuses us
        StorageFull         507  the disk of the object store is full
        WaitTimeout         504  the job goes on, but nobody waits for it any longer
        QueueFull           503  too many jobs wait already
        StillRunning        409  the first request with this idempotency key is not done
        NotDone             409  the job has no result yet
      ModelError            the model side
        ModelMissing        409  the weights are not in the model store
        DigestMismatch      502  a fetched file is not the file that the catalogue names
        BadWeights          502  a weights file does not parse to its last byte
        FetchFailed         502  the package index did not give us a file
      DeviceError           the machine
        InferenceCrashed    500  the process that ran the network died
        OutOfMemory         500  the smallest piece of the work found no memory
        Collapsed           500  a network gave values that are no picture
        ReceiptFailed       500  the result was measured, and is not the picture enlarged
      DeadlineExceeded      504  the job was not done in the time that it had
      Cancelled             499  the caller asked to stop

A class's docstring is its default message. `code` is stable and may be matched by programs;
`status` is the HTTP status that a door uses when its vendor has none of its own.
"""

from __future__ import annotations

import inspect
from typing import ClassVar


class EnlargerError(Exception):
    """Something went wrong inside Enlarger; the log has the details under the request id."""

    code: ClassVar[str] = "error"
    """Stable name of the kind of error, the same in every door and in the database."""

    status: ClassVar[int] = 500
    """HTTP status where the vendor's contract does not say another."""

    retry_after_s: int | None = None
    """Whole seconds, 1 or more, after which the same request may succeed; None if waiting is no help.

    A door says it in `Retry-After`. On the class it is what holds where nobody knows better."""

    is_end: bool = False
    """Whether a job ended with it, and it is not only the request that did."""

    def __init__(
        self, message: str | None = None, *, param: str | None = None, retry_after_s: int | None = None
    ) -> None:
        """
        message        what happened, with the offending value and the limit; the class docstring if None.
        param          the name of the field at fault in our own terms, if one is.
        retry_after_s  as the field, if it is known for this error; the class's if None.
        """
        self.message = message or inspect.cleandoc(type(self).__doc__ or "")
        self.param = param
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s
        super().__init__(self.message)


class UsageError(EnlargerError):
    """The request cannot be served as it stands; correct it and send it again."""

    code = "bad_request"
    status = 400


class BadParameter(UsageError):
    """A parameter is missing, of the wrong type or out of range; correct it and send it again."""

    code = "bad_parameter"


class UnsupportedPicture(UsageError):
    """The file is not a picture that can be read here; convert or repair it first."""

    code = "unsupported_picture"


class PictureTooLarge(UsageError):
    """The picture has more bytes or pixels than is allowed; scale it down or raise the limit."""

    code = "picture_too_large"
    status = 413


class ModelNotOffered(UsageError):
    """This model is not on offer here; ask the operator, or use another."""

    code = "model_not_offered"


class IdempotencyConflict(UsageError):
    """This idempotency key was used for another request; use a new key for each request."""

    code = "idempotency_conflict"
    status = 409


class AssetExists(UsageError):
    """There is an asset with this id already; upload it again under another name."""

    code = "asset_exists"
    status = 409


class EncodedBody(UsageError):
    """The request's body is compressed; send it as it is, without `content-encoding`."""

    code = "encoded_body"
    status = 415


class SlowBody(UsageError):
    """The request's body came too slowly; send it again over a better connection."""

    code = "slow_body"
    status = 408


class AccessError(EnlargerError):
    """The key may not do this; use another key."""

    code = "access_denied"
    status = 403


class BadKey(AccessError):
    """The key is missing or opens nothing; make one with `enlarger keys create`."""

    code = "bad_key"
    status = 401


class OutOfCredit(AccessError):
    """There is too little credit for this; add some and send the request again."""

    code = "insufficient_balance"
    status = 402


class SpendCapReached(AccessError):
    """This key has spent as much as it may; raise its cap or use another key."""

    code = "spend_cap_reached"
    status = 402


class NotAllowed(AccessError):
    """This key may not do that; use another key, or ask its owner."""

    code = "not_allowed"


class TooManyJobs(AccessError):
    """This workspace has as many jobs under way as it may; wait until some have ended."""

    code = "too_many_jobs"
    status = 429
    retry_after_s = 5
    limit: int | None = None
    """How many it may have; None where that is not known any longer."""


class TooManyUploads(AccessError):
    """This workspace has as many uploads under way as it may; complete some, or wait until they expire."""

    code = "too_many_uploads"
    status = 429
    retry_after_s = 60


class LinkRefused(AccessError):
    """The link has expired or was changed; ask for a new one."""

    code = "link_refused"


class RateLimited(AccessError):
    """There were too many requests in a short time; wait as long as `Retry-After` says."""

    code = "rate_limited"
    status = 429
    retry_after_s = 60


class NotFound(EnlargerError):
    """There is no such thing here, or it has expired; check the id and the key."""

    code = "not_found"
    status = 404


class BusyError(EnlargerError):
    """The server cannot take this now; try again later."""

    code = "busy"
    status = 503
    retry_after_s: int | None = 5


class NotReady(BusyError):
    """The server is not ready; look at /readyz for the part that is missing."""

    code = "not_ready"


class StorageUnavailable(BusyError):
    """The place where pictures are kept does not answer; try again, and look at /readyz."""

    code = "storage_unavailable"


class StorageFull(BusyError):
    """There is no room left where pictures are kept; delete some or make room, then try again."""

    code = "storage_full"
    status = 507


class WaitTimeout(BusyError):
    """The result was not there in time; the job goes on and its result is kept."""

    code = "wait_timeout"
    status = 504
    # The same request again would be another job.
    retry_after_s = None


class QueueFull(BusyError):
    """As many jobs wait as the server takes; try again later."""

    code = "queue_full"


class StillRunning(BusyError):
    """The first request with this idempotency key is not done yet; send this one again later."""

    code = "still_running"
    status = 409


class NotDone(BusyError):
    """The job is not done yet, so there is no result; ask again later."""

    code = "not_done"
    status = 409
    retry_after_s: int | None = 1


class DeadlineExceeded(EnlargerError):
    """The job was not done in the time that it had, and nothing was charged; send it again later."""

    code = "deadline_exceeded"
    status = 504


class ModelError(EnlargerError):
    """A network could not be used; look at `enlarger models verify`."""

    code = "model_error"
    status = 502


class ModelMissing(ModelError):
    """The weights of a network are not here; fetch them with `enlarger models pull`."""

    code = "model_missing"
    status = 409


class DigestMismatch(ModelError):
    """A file differs from the catalogue's digest; remove it and run `enlarger models pull` again."""

    code = "digest_mismatch"


class BadWeights(ModelError):
    """A weights file is damaged or of an unknown kind; run `enlarger models verify`."""

    code = "bad_weights"


class FetchFailed(ModelError):
    """A package could not be fetched; check the package index that pip is configured with."""

    code = "fetch_failed"


class DeviceError(EnlargerError):
    """The machine could not finish the work; try again, or a smaller picture."""

    code = "device_error"


class InferenceCrashed(DeviceError):
    """The inference process died while it worked on this picture; it was started again."""

    code = "inference_crashed"


class Collapsed(DeviceError):
    """The network gave values that are not a picture; try another mode and report the picture."""

    code = "collapsed"


class OutOfMemory(DeviceError):
    """There is not enough memory for this picture; close other programs or choose another mode."""

    code = "out_of_memory"


class ReceiptFailed(DeviceError):
    """The result does not show the picture that went in; try another mode and report the picture."""

    code = "receipt_failed"


class Cancelled(EnlargerError):
    """The work was stopped because the caller asked for it."""

    code = "cancelled"
    status = 499


def by_code(code: str, message: str, param: str | None = None) -> EnlargerError:
    """The error with this `code`, made again on the far side of a process or of the database.

    An unknown code (a row that a newer version wrote) gives a plain EnlargerError.
    """
    classes: list[type[EnlargerError]] = [EnlargerError]
    while classes:
        candidate = classes.pop()
        if candidate.code == code:
            return candidate(message, param=param)
        classes.extend(candidate.__subclasses__())
    return EnlargerError(message, param=param)
