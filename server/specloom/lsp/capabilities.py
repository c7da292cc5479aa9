"""What we announce in `initialize`: a literal, apart from what depends on the client. Loads nothing.

Each gate follows from what real clients announce and do (docs/protocol.md).
"""

from lsprotocol import types

from specloom.lsp.names import ASKED_OF_CLIENTS, COMMANDS, NOTIFICATIONS, REQUESTS

ACTION_KINDS = (types.CodeActionKind.QuickFix, "specloom")


def server_capabilities(client: types.ClientCapabilities, encoding: str) -> types.ServerCapabilities:
    """Our capabilities for this client; `encoding` is the negotiated one."""
    return types.ServerCapabilities(
        position_encoding=encoding,
        text_document_sync=types.TextDocumentSyncOptions(
            open_close=True,
            change=types.TextDocumentSyncKind.Incremental,
            save=types.SaveOptions(include_text=False),
        ),
        code_lens_provider=types.CodeLensOptions(resolve_provider=False),
        code_action_provider=types.CodeActionOptions(code_action_kinds=list(ACTION_KINDS), resolve_provider=False),
        execute_command_provider=types.ExecuteCommandOptions(commands=list(COMMANDS)),
        hover_provider=True,
        definition_provider=True,
        document_symbol_provider=True,
        # Hints show states, which change without the text: without a refresh they would lie.
        inlay_hint_provider=True if refreshes(client, "inlay_hint") else None,
        diagnostic_provider=_pull() if pulls_diagnostics(client) else None,
        workspace=types.WorkspaceOptions(
            workspace_folders=types.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
        ),
        experimental={
            "specloom": {
                "methods": list(REQUESTS),
                "notifications": list(NOTIFICATIONS),
                "clientMethods": list(ASKED_OF_CLIENTS),
            }
        },
    )


def refreshes(client: types.ClientCapabilities, what: str) -> bool:
    """Whether the client takes `workspace/<what>/refresh`; `what` in snake case."""
    options = getattr(client.workspace, what, None)
    return bool(getattr(options, "refresh_support", False))


def pulls_diagnostics(client: types.ClientCapabilities) -> bool:
    """Whether diagnostics of open documents are pulled: states change without the text, so it needs a refresh too."""
    document = client.text_document
    return bool(document and document.diagnostic) and refreshes(client, "diagnostics")


def versions_edits(client: types.ClientCapabilities) -> bool:
    """Whether edits go out with a document version. Neovim takes them and announces `resourceOperations` alone."""
    edit = client.workspace and client.workspace.workspace_edit
    return bool(edit and (edit.document_changes or edit.resource_operations))


def edit_version(version: int, client_name: str) -> int:
    """The version that tells the client on which text an edit was computed.

    Neovim counts from 0, compares versions above 0 alone, and tells of typing some 150 ms late: an edit of version 0
    would land wherever the lines have gone. After any change it counts at least 2.
    """
    return max(version, 1) if client_name == "Neovim" else version


def applies_edits(client: types.ClientCapabilities) -> bool:
    """Whether `workspace/applyEdit` may be sent."""
    return bool(client.workspace and client.workspace.apply_edit)


def shows_progress(client: types.ClientCapabilities) -> bool:
    """Whether the server may create work-done progress."""
    return bool(client.window and client.window.work_done_progress)


def shows_documents(client: types.ClientCapabilities) -> bool:
    """Whether `window/showDocument` may be sent."""
    return bool(client.window and client.window.show_document and client.window.show_document.support)


def configures(client: types.ClientCapabilities) -> bool:
    """Whether the client answers `workspace/configuration`."""
    return bool(client.workspace and client.workspace.configuration)


def registers_configuration(client: types.ClientCapabilities) -> bool:
    """Whether the client tells of changed settings only when it is asked to."""
    changed = client.workspace and client.workspace.did_change_configuration
    return bool(changed and changed.dynamic_registration)


def watches_files(client: types.ClientCapabilities) -> bool:
    """Whether the client tells of changed files when it is asked to."""
    changed = client.workspace and client.workspace.did_change_watched_files
    return bool(changed and changed.dynamic_registration)


def saves_documents(client: types.ClientCapabilities) -> bool:
    """Whether the client declares `experimental.specloom.documentSave`."""
    return _declares(client, "documentSave")


def puts_questions(client: types.ClientCapabilities) -> bool:
    """Whether the client declares `experimental.specloom.approvals`: it puts the questions of the queue by itself."""
    return _declares(client, "approvals")


def _declares(client: types.ClientCapabilities, what: str) -> bool:
    experimental: object = client.experimental
    return _member(_member(experimental, "specloom"), what) is True


def _member(value: object, name: str) -> object:
    if isinstance(value, dict):
        return value.get(name)  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType] # any JSON
    return getattr(value, name, None)


def _pull() -> types.DiagnosticOptions:
    return types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="specloom")
