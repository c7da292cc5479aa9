"""Which function answers which method. Refuses anything but names: loaded after `initialize` was answered."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from lsprotocol import types

from specloom.domain.rejection import Rejected
from specloom.lsp.features import (
    agent,
    approval,
    changeset,
    code_action,
    code_lens,
    credential,
    definition,
    diagnostics,
    document_symbol,
    events,
    evidence,
    grant,
    health,
    hover,
    inlay_hint,
    project,
    projects,
    run,
    spec,
    task,
)
from specloom.lsp.protocol import Wire

Answer: TypeAlias = Awaitable[Wire | Rejected]

READS: Mapping[str, Callable[[Any, Any], Answer]] = MappingProxyType(
    {
        "specloom/project/get": project.get,
        "specloom/project/list": projects.list_projects,
        "specloom/project/create": projects.create,
        "specloom/project/rename": projects.rename,
        "specloom/project/alias": projects.alias,
        "specloom/project/archive": projects.archive,
        "specloom/events/list": events.list_events,
        "specloom/health/get": health.get,
        "specloom/approval/list": approval.list_approvals,
        "specloom/evidence/get": evidence.get,
        "specloom/task/describe": task.describe,
    }
)
"""Also answered where another process hosts the root: from `serving`, and the parameters."""

ORDERS: Mapping[str, Callable[[Any, Any], Answer]] = MappingProxyType(
    {
        "specloom/events/subscribe": events.subscribe,
        "specloom/events/unsubscribe": events.unsubscribe,
        "specloom/spec/generate": spec.generate,
        "specloom/spec/settle": spec.settle,
        "specloom/spec/cancel": spec.cancel,
        "specloom/spec/show": spec.show,
        "specloom/task/extract": task.extract,
        "specloom/task/retry": task.retry,
        "specloom/task/skip": task.skip,
        "specloom/task/unblock": task.unblock,
        "specloom/task/reset": task.reset,
        "specloom/run/start": run.start,
        "specloom/run/estimate": run.estimate,
        "specloom/run/pause": run.pause,
        "specloom/run/resume": run.resume,
        "specloom/run/cancel": run.cancel,
        "specloom/agent/prompt": agent.prompt,
        "specloom/prompt/withdraw": agent.withdraw,
        "specloom/approval/answer": approval.answer,
        "specloom/grant/list": grant.list_grants,
        "specloom/grant/revoke": grant.revoke,
        "specloom/changeset/get": changeset.get,
        "specloom/credential/set": credential.set_key,
    }
)
"""Answered by a runtime of this process alone: from `hosted`, and the parameters."""

STANDARD: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        types.TEXT_DOCUMENT_CODE_LENS: code_lens.code_lens,
        types.TEXT_DOCUMENT_CODE_ACTION: code_action.code_action,
        types.TEXT_DOCUMENT_HOVER: hover.hover,
        types.TEXT_DOCUMENT_DEFINITION: definition.definition,
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: document_symbol.document_symbol,
        types.TEXT_DOCUMENT_INLAY_HINT: inlay_hint.inlay_hint,
        types.TEXT_DOCUMENT_DIAGNOSTIC: diagnostics.diagnostic,
    }
)
"""Requests of the protocol itself: from `hosted`, and the parameters; plain functions or coroutines."""
