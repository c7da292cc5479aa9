// One language client as Specloom needs it: what it declares, which folders and settings the server hears of, what the
// server may ask of it. Refuses to decide when it starts and ends: see `lifecycle`.

import * as vscode from "vscode";
import type { ClientCapabilities, InitializeParams } from "vscode-languageclient";
import { CloseAction, ErrorAction, type StaticFeature } from "vscode-languageclient";
import { LanguageClient, type LanguageClientOptions } from "vscode-languageclient/node";
import type { DocumentSaveParams, DocumentSaveResult } from "../protocol.gen";
import { literal, unlinked } from "../texts";
import { wasLost } from "../wire";
import type { Found } from "./find";
import { settingsForServer } from "./settings";

export interface ClientNeeds {
  found: Found;
  folders: readonly vscode.WorkspaceFolder[];
  extension: vscode.Extension<unknown>;
  log: vscode.LogOutputChannel;
  /** The server ended, or its words cannot be understood. */
  lost: () => void;
}

/** Not started yet. */
export function languageClient(needs: ClientNeeds): LanguageClient {
  const cwd = needs.folders[0]?.uri.fsPath;
  const executable = { command: needs.found.command, args: [...needs.found.words], options: cwd === undefined ? {} : { cwd } };
  const client = new QuietClient("specloom", "Specloom", executable, options(needs));
  client.registerFeature(new Declared(needs.folders));
  client.onRequest("specloom/document/save", (params: DocumentSaveParams) => saved(params));
  return client;
}

/** What fails because the server goes is logged and not told: that it went is told, once, by who starts it again. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown, aloud: boolean | "force" = true): void {
    super.error(message, data, wasLost(data) ? false : aloud);
  }
}

function options(needs: ClientNeeds): LanguageClientOptions {
  return {
    // What the agent reads is what stands in the buffers, of any language.
    documentSelector: [{ scheme: "file" }],
    outputChannel: needs.log,
    markdown: { isTrusted: false, supportHtml: false },
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        needs.lost();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    },
    middleware: {
      handleWorkDoneProgress: (token, params, next) =>
        next(token, params.message === undefined ? params : { ...params, message: unlinked(params.message) }),
      provideCodeLenses: async (document, token, next) => (await next(document, token))?.map(literally),
      workspace: {
        configuration: (params) =>
          params.items.map((item) => (item.section === "specloom" ? settingsForServer(needs.extension) : null)),
        // Ours, because folders that are no projects are none of the server's business.
        didChangeWorkspaceFolders: () => Promise.resolve(),
      },
    },
  };
}

/** A question's command stands in its lens: nothing of it is drawn as an icon. */
function literally(lens: vscode.CodeLens): vscode.CodeLens {
  return lens.command === undefined ? lens : new vscode.CodeLens(lens.range, { ...lens.command, title: literal(lens.command.title) });
}

/** What we declare beyond the protocol's own capabilities. */
class Declared implements StaticFeature {
  constructor(private readonly folders: readonly vscode.WorkspaceFolder[]) {}

  fillInitializeParams(params: InitializeParams): void {
    params.workspaceFolders = this.folders.map((folder) => ({ uri: folder.uri.toString(), name: folder.name }));
  }

  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const before = (capabilities.experimental ?? {}) as Record<string, unknown>;
    capabilities.experimental = { ...before, specloom: { documentSave: true, approvals: true } };
  }

  initialize(): void {
    // Nothing is registered.
  }

  getState(): { kind: "static" } {
    return { kind: "static" };
  }

  clear(): void {
    // Nothing was registered.
  }
}

/** Saves what the agent touched, and says what is saved now. */
async function saved(params: DocumentSaveParams): Promise<DocumentSaveResult> {
  const done = await Promise.all(params.uris.map(saveOne));
  return { saved: params.uris.filter((_, at) => done[at]) };
}

async function saveOne(uri: string): Promise<boolean> {
  const wanted = vscode.Uri.parse(uri).toString();
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === wanted);
  return document !== undefined && (!document.isDirty || (await document.save()));
}
