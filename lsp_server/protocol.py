"""pygls' protocol with what the specification wants beside it: every request has one answer, none has a traceback.

Not here: reading and writing (`connection`), and what requests do (`server`).
"""

from __future__ import annotations

import asyncio
import json
import re
import traceback
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lsprotocol.types import METHOD_TO_TYPES, ErrorCodes, ExecuteCommandParams, LSPErrorCodes, ResponseError
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from lsp_server.markdown import visible
from sage_git.errors import SageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

_BEFORE_ALL: Final = frozenset({"initialize", "exit"})
_LONGEST: Final = 2_000
_TEXTS: Final = frozenset(f"textDocument/{name}" for name in ("didOpen", "didChange", "didClose"))
MessageId = str | int


class BadArgument(Exception):
    """A request lacks something, or has it in a form that means nothing; `str()` is one sentence."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer that is JSON already, all of it ASCII."""

    text: str


class Protocol(LanguageServerProtocol):
    """The protocol of one client."""

    is_initialized = False
    is_debugging = False
    """True if faults of ours are to be told on standard error, where they happened."""
    carry_out: Callable[[ExecuteCommandParams], Awaitable[Any]]
    """Does what a command says; pygls would take the arguments apart by annotations."""

    @property
    def has_shut_down(self) -> bool:
        """True once the client asked for it."""
        return self._shutdown

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take in one message, whatever it is."""
        identifier, method = message.get("id"), message.get("method")
        is_answer = "id" in message and "method" not in message and ("result" in message or "error" in message)
        is_request = "id" in message and not is_answer
        if is_request and (not isinstance(identifier, str | int) or isinstance(identifier, bool)):
            self.refuse(None, ErrorCodes.InvalidRequest, "the id of a request is a number or a string")
        elif not is_answer and not isinstance(method, str):
            self.refuse(identifier, ErrorCodes.InvalidRequest, "the message has no method that is a string")
        elif is_request and (reason := self._out_of_place(str(method))) is not None:
            self.refuse(identifier, *reason)
        elif is_answer or is_request or self.is_initialized:  # a notification before is dropped, as specified
            self._structured(message, identifier if is_request else None)

    def refuse(self, identifier: MessageId | None, code: int, said: str) -> None:
        """Answer a request with an error."""
        self._send_data({"jsonrpc": "2.0", "id": identifier, "error": {"code": int(code), "message": said}})

    def _out_of_place(self, method: str) -> tuple[int, str] | None:
        if self._shutdown:
            return ErrorCodes.InvalidRequest, "the server was asked to shut down"
        if not self.is_initialized and method not in _BEFORE_ALL:
            return ErrorCodes.ServerNotInitialized, "the first request is initialize"
        if self.is_initialized and method == "initialize":
            return ErrorCodes.InvalidRequest, "initialize was asked before"
        if method == "exit" or (method in METHOD_TO_TYPES and METHOD_TO_TYPES[method][1] is None):
            return ErrorCodes.InvalidRequest, "what has no answer is no request"
        return None

    def _structured(self, message: Mapping[str, Any], identifier: MessageId | None) -> None:
        """Have pygls carry out a message whose parameters are as the specification has them."""
        whole = {**message, "jsonrpc": "2.0"}
        if "method" in whole:
            whole.setdefault("params", None)
        try:
            structured = self.structure_message(whole)
        except (JsonRpcException, TypeError):
            if identifier is not None:
                named = visible(str(message["method"]), 100)
                said = f"the parameters of {named} are not as the specification has them"
                self.refuse(identifier, ErrorCodes.InvalidParams, said)
            return
        if identifier is not None and identifier in self._request_futures:
            self.refuse(identifier, ErrorCodes.InvalidRequest, "a request with this id is not answered yet")
            return
        if identifier is not None and message["method"] == "initialize":
            self.is_initialized = True
        self.handle_message(structured)

    def _send_handler_result(self, future: Future[Any], *, msg_id: MessageId) -> None:
        """Answer a request with what came of it; pygls calls this."""
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self.refuse(msg_id, LSPErrorCodes.RequestCancelled, "the request was cancelled")
        elif (problem := future.exception()) is not None:
            self.tell_fault(problem)
            self.refuse(msg_id, *explained(problem))
        elif isinstance(result := future.result(), Written):
            self._result_types.pop(msg_id, None)
            self._send_written(msg_id, result)
        elif _is_json(result):  # a command's, which may be long: nothing in it is to be translated
            self._result_types.pop(msg_id, None)
            self._send_data({"jsonrpc": "2.0", "id": msg_id, "result": result})
        else:
            self._send_response(msg_id, result=result)

    def written(self, rows: Iterable[object]) -> Written:
        """A long answer as the client gets it: made in a thread, row by row, so that no hover waits for all of it."""
        return Written(f"[{','.join(json.dumps(self._converter.unstructure(row)) for row in rows)}]")

    def _send_written(self, msg_id: MessageId, result: Written) -> None:
        body = f'{{"jsonrpc":"2.0","id":{json.dumps(msg_id)},"result":{result.text}}}'
        if self.writer is not None:
            self.writer.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode("ascii"))

    def tell_fault(self, problem: BaseException | None) -> None:
        """Tell of an exception that nobody expected, if that is wanted."""
        expected = SageError | BadArgument | JsonRpcException
        if problem is not None and self.is_debugging and not isinstance(problem, expected):
            traceback.print_exception(problem)  # to standard error

    def _check_handler_result(self, future: Future[Any]) -> None:
        """What came of a notification; there is nobody to tell of it."""
        if not future.cancelled() and (problem := future.exception()) is not None:
            self.tell_fault(problem)

    def _handle_request(self, msg_id: MessageId, method_name: str, params: Any) -> None:
        self._ctx_msg_id.set(msg_id)
        try:
            feature = self._get_handler(method_name)
            self._execute_handler(msg_id=msg_id, handler=feature, args=(params,), callback=self._answering(msg_id))
        except JsonRpcException as problem:
            self.refuse(msg_id, *explained(problem))

    def _get_handler(self, feature_name: str) -> Callable[..., Any]:
        if feature_name == "workspace/executeCommand":
            return self.carry_out
        if feature_name in _TEXTS:  # pygls would keep every text a second time
            return self.fm.features[feature_name]  # type: ignore[no-any-return]
        found: Callable[..., Any] = super()._get_handler(feature_name)
        return found

    def _answering(self, msg_id: MessageId) -> Callable[[Future[Any]], None]:
        return lambda future: self._send_handler_result(future, msg_id=msg_id)

    def _handle_response(self, msg_id: MessageId, result: Any = None, error: ResponseError | None = None) -> None:
        """What the client answered to a request of ours. It may have been given up, or never been."""
        future = self._request_futures.pop(msg_id, None)
        if future is not None and not future.done():
            future.set_result(result if error is None else None)


def _is_json(result: object) -> bool:
    rows = result if isinstance(result, list) else [result]
    return all(isinstance(row, dict) for row in rows)


def explained(problem: BaseException) -> tuple[int, str]:
    """The code and the sentence that a client gets for what was raised."""
    match problem:
        case BadArgument():
            return ErrorCodes.InvalidParams, str(problem)
        case SageError():
            said = f"{problem}; {problem.remedy}" if problem.remedy else str(problem)
            return LSPErrorCodes.RequestFailed, _clean(said)
        case JsonRpcException():
            return problem.code or ErrorCodes.InternalError, _clean(str(problem.message or "it cannot be carried out"))
        case CancelledError() | asyncio.CancelledError():
            return LSPErrorCodes.RequestCancelled, "the request was cancelled"
    return ErrorCodes.InternalError, f"{type(problem).__name__}: this is a fault of sage-git"


def _clean(said: str) -> str:
    return visible(re.sub(r"\s*\n\s*", "; ", said), _LONGEST)
