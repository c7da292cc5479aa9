// Activation and its end. Refuses everything else: what is wired here stands in files of its own.

import * as vscode from "vscode";
import { registerAgentView } from "./agent/view";
import { registerCommands } from "./commands";
import { Connection } from "./connection";
import { Documents } from "./documents";
import { Approvals } from "./people/approvals";
import { Keys } from "./people/keys";
import { hearEnds } from "./people/ends";
import { tellOfEnd } from "./people/notices";
import { tellOfKeys } from "./people/pauses";
import { Projects } from "./projects";
import { RunControl } from "./runs/control";
import { RunStatus } from "./runs/status";
import { onEnvironmentChanged } from "./server/environments";
import { ProjectFolders } from "./server/folders";
import { HealthItem } from "./server/health";
import { Server } from "./server/lifecycle";
import { ServerProblems } from "./server/problems";
import { headOf } from "./tree/badge";
import { TaskTree } from "./tree/view";
import { messageOf } from "./wire";

/** For tests: how long our own part of the activation took. */
export interface Activated {
  activationMs: number;
}

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): Activated {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const log = vscode.window.createOutputChannel("Specloom", { log: true });
  const connection = new Connection((line) => log.warn(line));
  const folders = new ProjectFolders();
  server = new Server(context, connection, folders, log);
  const projects = new Projects(connection, (error) => log.warn(messageOf(error)));
  const tree = new TaskTree(projects);
  const problems = new ServerProblems(server, log);
  const keys = new Keys(context, connection, server, projects, log);
  const approvals = new Approvals(connection, projects, log);
  const documents = new Documents(connection, projects);
  const runs = new RunControl(connection, projects, log);
  const parts = { connection, projects, server, problems, tree, runs, approvals, documents, keys, log };
  context.subscriptions.push(log, connection, folders, server, projects, tree, problems, keys, approvals, documents);
  context.subscriptions.push(headOf(tree.view, projects), new RunStatus(projects, tree.view), new HealthItem(server, connection));
  context.subscriptions.push(registerAgentView(connection, context.extensionUri), registerCommands(parts), tellOfKeys(projects));
  context.subscriptions.push(hearEnds(projects, tellOfEnd));
  follow(context, server, folders, log);
  const activationMs = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  log.info(`Activated in ${activationMs.toFixed(1)} ms, ${((user + system) / 1_000).toFixed(1)} ms of CPU`);
  return { activationMs };
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** Starts the server when there is a project, and again when what it was chosen by changes. */
function follow(context: vscode.ExtensionContext, started: Server, folders: ProjectFolders, log: vscode.LogOutputChannel): void {
  const restart = (): void => void started.restartAnew();
  context.subscriptions.push(
    folders.onDidChange(() => void started.followFolders().catch((error: unknown) => log.warn(messageOf(error)))),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("specloom.server") && restart()),
  );
  // The Python extension is woken only where there is a project.
  const once = folders.onDidChange(() => {
    once.dispose();
    void onEnvironmentChanged(() => started.stage.kind === "missing" && restart()).then((link) => link && context.subscriptions.push(link));
  });
  void folders.watch().catch((error: unknown) => log.error(messageOf(error)));
}
