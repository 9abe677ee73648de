"""Exceptions that become an answer, and the one table that says which answer."""


class RequestRefused(Exception):
    """The proxy itself refuses a request; becomes an OpenAI error body with this status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
