"""The RPC without its socket: a fake node's answers and errors, as the adapters get them."""

from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.rpc import Call


def calling(node: FakeNode) -> Call:
    """
    Return the call that *node* answers.
    """

    def call(method: str, params: dict[str, object]) -> object:
        try:
            return node.answer(method, params)
        except RpcRefusalError as refusal:
            raise NodeRefusedError(method, refusal.code, refusal.message) from None
        except HangUpError:
            msg = f"{method}: it hung up"
            raise NoAnswerError(msg) from None

    return call
