// Orders about runs and plans, with the questions that come before them. Refuses to judge whether one is allowed now: the
// server answers that.

import * as vscode from "vscode";
import type { Connection } from "../connection";
import type { Projects } from "../projects";
import type { Budget, RunEstimateResult, RunPauseParams, Scope } from "../protocol.gen";
import { estimateBasis, estimateLine, runWord } from "../texts";
import { told } from "../people/notices";

export class RunControl {
  constructor(
    private readonly connection: Connection,
    private readonly projects: Projects,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Starts a run of a scope, after telling what it will probably take. */
  async run(root: string, scope: Scope): Promise<void> {
    await told(this.log, async () => {
      const budget = await this.budget(root, scope);
      if (budget !== undefined) {
        await this.connection.order("specloom/run/start", { root, scope, budget });
      }
    });
  }

  async plan(root: string, uri?: string): Promise<void> {
    await told(this.log, () => this.connection.order("specloom/spec/generate", { root, ...(uri === undefined ? {} : { uri }) }));
  }

  /** Plans anew, and says what to do otherwise. */
  async planWithFeedback(root: string): Promise<void> {
    const prompt = "What should be different in the specs?";
    const feedback = await vscode.window.showInputBox({ title: "Plan Again with Feedback", prompt, ignoreFocusOut: true });
    if (feedback?.trim()) {
      await told(this.log, () => this.connection.order("specloom/spec/generate", { root, feedback }));
    }
  }

  async pause(root: string, when: NonNullable<RunPauseParams["when"]>): Promise<void> {
    await told(this.log, () => this.connection.order("specloom/run/pause", { root, when }));
  }

  async resume(root: string): Promise<void> {
    await told(this.log, () => this.connection.order("specloom/run/resume", { root }));
  }

  async cancel(root: string): Promise<void> {
    const planning = this.projects.at(root)?.known.planning?.state === "running";
    await told(this.log, () =>
      planning ? this.connection.order("specloom/spec/cancel", { root }) : this.connection.order("specloom/run/cancel", { root }),
    );
  }

  /** What can be done with a project now, as a list for the keyboard; where the status bar leads. */
  async actions(root: string): Promise<void> {
    const known = this.projects.at(root)?.known;
    const run = known?.run && known.run.state !== "finished" ? known.run : undefined;
    const items: (vscode.QuickPickItem & { command: string })[] = [];
    const add = (command: string, icon: string, label: string): number => items.push({ command, label: `$(${icon}) ${label}` });
    if ((known?.approvals.length ?? 0) > 0) add("specloom.answer", "bell", "Answer a Question");
    if (run?.state === "paused" || run?.state === "pausing") add("specloom.resume", "debug-continue", "Resume");
    if (run?.state === "running" || run?.pauseAfter === "task") add("specloom.pauseAfterTurn", "debug-pause", "Pause after This Turn");
    if (run?.state === "running") add("specloom.pauseAfterTask", "debug-pause", "Pause after This Task");
    if (run?.state === "running" || run?.state === "pausing") add("specloom.pauseNow", "debug-pause", "Pause Now");
    if (run !== undefined || known?.planning?.state === "running") add("specloom.cancel", "debug-stop", "Cancel");
    if (run === undefined) add("specloom.runProject", "play", "Run Project");
    add("specloom.tasks.focus", "checklist", "Show Tasks");
    add("specloom.agent.focus", "comment-discussion", "Show Agent");
    const title = run ? `Run ${runWord(run)}` : known?.name;
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: run?.reason || "What next?" });
    if (chosen !== undefined) {
      await vscode.commands.executeCommand(chosen.command, { root });
    }
  }

  /** `undefined`: the person does not want it after all. */
  private async budget(root: string, scope: Scope): Promise<Budget | undefined> {
    if (!vscode.workspace.getConfiguration("specloom").get("ask.beforeRun", true)) {
      return {};
    }
    const estimate = await this.connection.ask("specloom/run/estimate", { root, scope });
    const start = { label: "$(play) Run", description: estimateLine(estimate), detail: estimateBasis(estimate) };
    const limited = { label: "$(credit-card) Run with a Budget…", detail: "It pauses and asks when the budget is used up" };
    const chosen = await vscode.window.showQuickPick([start, limited], { title: this.titleOf(root, scope), placeHolder: "Start this run?", ignoreFocusOut: true });
    if (chosen === undefined) {
      return undefined;
    }
    return chosen === start ? {} : askBudget(estimate);
  }

  /** Whose it is stands there where the window has several projects. */
  private titleOf(root: string, scope: Scope): string {
    const name = this.projects.at(root)?.known.name;
    return this.projects.all.length > 1 && name !== undefined ? `${titleOf(scope)} in ${name}` : titleOf(scope);
  }
}

async function askBudget(estimate: RunEstimateResult): Promise<Budget | undefined> {
  const byPrice = estimate.costUsd !== null;
  const unit = byPrice ? "US dollars" : "turns, as the price of this model is not known";
  const likely = byPrice ? Math.max(0.01, estimate.costUsd?.high ?? 0).toFixed(2) : String(Math.ceil(estimate.turns.high));
  const validateInput = (text: string): string | undefined =>
    Number(text) > 0 && (byPrice || Number.isInteger(Number(text))) ? undefined : `A number above 0, in ${unit}`;
  const options = { title: "Budget of This Run", prompt: `In ${unit}`, value: likely, validateInput, ignoreFocusOut: true };
  const said = await vscode.window.showInputBox(options);
  return said === undefined ? undefined : byPrice ? { usd: Number(said) } : { turns: Number(said) };
}

function titleOf(scope: Scope): string {
  return scope.kind === "project" ? "Run Project" : scope.kind === "spec" ? `Run Spec ${scope.id}` : `Run Task ${scope.id}`;
}
