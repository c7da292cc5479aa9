// Puts what waits for a person: one notification at a time, and a list for the keyboard. Refuses to answer by itself, and
// to take the focus.

import * as vscode from "vscode";
import type { Connection, Link } from "../connection";
import type { Projection } from "../projection";
import type { Projects } from "../projects";
import type { Approval } from "../protocol.gen";
import { line, literal, unlinked } from "../texts";
import { reasonOf } from "../wire";
import { told } from "./notices";
import { fitsNotification, questionText, subjectRows } from "./questions";

interface Waiting {
  root: string;
  /** The project's name, where there are several. */
  of: string;
  approval: Approval;
}

/** A choice, or a row that only tells. */
type Item = vscode.QuickPickItem & { choice?: string };

const LATER = "Answer…";
const GONE = Symbol("answered elsewhere");

export class Approvals implements Link {
  private readonly link: Link;
  private readonly put = new Set<string>();
  private showing = false;

  constructor(
    private readonly connection: Connection,
    private readonly projects: Projects,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const look = (): void => void this.showNext();
    this.link = projects.listen({ opened: look, changed: (_, change) => change.around && look() });
  }

  dispose(): void {
    this.link.dispose();
  }

  /** By the keyboard: which one if there are several, then the answer. */
  async answer(wanted?: { root: string; key: string }): Promise<void> {
    const all = this.waiting();
    const found = wanted && all.find((each) => each.root === wanted.root && each.approval.id === wanted.key);
    const chosen = found ?? (all.length > 1 ? await this.pick(all) : all[0]);
    if (chosen === undefined) {
      if (all.length === 0) {
        void vscode.window.showInformationMessage("Specloom: nothing waits for an answer");
      }
      return;
    }
    const choice = await this.choose(chosen);
    if (choice !== undefined) {
      await this.send(chosen, choice);
    }
  }

  private waiting(): Waiting[] {
    const several = this.projects.all.length > 1;
    return this.projects.all.flatMap(({ root, known }: Projection) =>
      known.approvals.map((approval) => ({ root, of: several ? known.name : "", approval })),
    );
  }

  private async showNext(): Promise<void> {
    if (this.showing) {
      return;
    }
    const next = this.waiting().find((each) => !this.put.has(each.approval.id));
    if (next === undefined) {
      return;
    }
    this.put.add(next.approval.id);
    this.showing = true;
    try {
      await this.show(next);
    } finally {
      this.showing = false;
    }
    void this.showNext();
  }

  private async show(waiting: Waiting): Promise<void> {
    const { approval } = waiting;
    const whole = fitsNotification(approval);
    const buttons = whole ? approval.choices : [LATER];
    const answered = this.answeredElsewhere(approval.id);
    const clicked = vscode.window.showInformationMessage(questionText(approval, waiting.of), ...buttons);
    const choice = await Promise.race([clicked, answered.promise]);
    answered.dispose();
    if (choice === GONE) {
      // A notification cannot be taken back; this moves those that are shown to the list of notifications.
      await vscode.commands.executeCommand("notifications.hideToasts");
      void clicked.then((late) => late !== undefined && tellAnswered());
      return;
    }
    if (choice === LATER && !whole) {
      await this.answer({ root: waiting.root, key: approval.id });
    } else if (choice !== undefined) {
      await this.send(waiting, choice);
    }
  }

  /** Settles when the question is gone: then its notification keeps no other one back. */
  private answeredElsewhere(id: string): { promise: Promise<typeof GONE>; dispose: () => void } {
    let link: Link | undefined;
    const promise = new Promise<typeof GONE>((resolve) => {
      const look = (): void => {
        if (!this.waiting().some((each) => each.approval.id === id)) {
          resolve(GONE);
        }
      };
      link = this.projects.listen({ changed: look, closed: look, opened: look });
    });
    return { promise, dispose: () => link?.dispose() };
  }

  private async pick(all: readonly Waiting[]): Promise<Waiting | undefined> {
    const items = all.map((waiting) => ({
      label: literal(line(waiting.approval.subject, 120)),
      description: literal([waiting.of, waiting.approval.taskId ?? ""].filter((each) => each !== "").join(" · ")),
      detail: literal(line(waiting.approval.purpose, 200)),
      waiting,
    }));
    const placeHolder = "What do you want to answer?";
    return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDetail: true }))?.waiting;
  }

  private async choose({ of, approval }: Waiting): Promise<string | undefined> {
    const title = `${of === "" ? "" : `${of}: `}${line(approval.purpose, 120)}`;
    if (approval.choices.length === 0) {
      return vscode.window.showInputBox({ title, prompt: unlinked(approval.subject), ignoreFocusOut: true });
    }
    const choices = approval.choices.map((choice): Item => ({ label: literal(choice), choice }));
    const rows = subjectRows(approval).map((row): Item => ({ label: literal(row) }));
    const heading: Item = { label: "what a yes allows", kind: vscode.QuickPickItemKind.Separator };
    const placeHolder = "What is your answer?";
    for (;;) {
      const chosen = await vscode.window.showQuickPick([...choices, heading, ...rows], { title, placeHolder, ignoreFocusOut: true });
      // A row that only tells is no answer.
      if (chosen === undefined || chosen.choice !== undefined) {
        return chosen?.choice;
      }
    }
  }

  private async send({ root, approval }: Waiting, choice: string): Promise<void> {
    await told(this.log, async () => {
      try {
        await this.connection.order("specloom/approval/answer", { root, approvalId: approval.id, choice });
      } catch (error) {
        if (reasonOf(error) === undefined || this.waiting().some((each) => each.approval.id === approval.id)) {
          throw error;
        }
        tellAnswered();
      }
    });
  }
}

/** Somebody else was faster, or the same person by another way, which is no error. */
function tellAnswered(): void {
  vscode.window.setStatusBarMessage("Specloom: that question is answered already; nothing was changed", 5_000);
}
