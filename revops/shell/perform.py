"""Perform: an action becomes a call and the call an outcome; dry run is asked here alone."""

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.actions import Action, Hold, SetFee, assert_never
from revops.core.outcomes import Outcome, Refused, Rehearsed, Unknown
from revops.shell.ports import NodePort


def perform(action: Action, node: NodePort, *, dry_run: bool) -> Outcome:
    """
    Do *action* on *node* and return what became of it.
    """
    if dry_run:
        return Rehearsed()
    try:
        match action:
            case SetFee():
                return node.set_fee(action)
            case Hold():
                return Refused(error="a hold is nothing to perform")
            case _:
                assert_never(action)
    except NodeRefusedError as error:
        return Refused(error=str(error))
    except NoAnswerError as error:
        return Unknown(error=str(error))
