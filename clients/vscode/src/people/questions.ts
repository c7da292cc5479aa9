// The texts of questions. Refuses to leave out what exactly a yes allows.

import type { Approval } from "../protocol.gen";
import { line } from "../texts";

/** More buttons than that are cut off in a notification. */
export const MOST_BUTTONS = 3;
const MOST_OF_SUBJECT = 400;

/** A notification's text: why it is asked, then the exact command, rule or text; and what it is about. */
export function questionText(approval: Approval): string {
  const about = approval.taskId === null ? "" : ` (task ${approval.taskId})`;
  return `Specloom asks${about}: ${line(approval.purpose, 200)}: ${line(onOneLine(approval.subject), MOST_OF_SUBJECT)}`;
}

/** Whether a notification can show all of it; else it leads to the whole text. */
export function fitsNotification(approval: Approval): boolean {
  return approval.choices.length > 0 && approval.choices.length <= MOST_BUTTONS && isWhole(onOneLine(approval.subject));
}

/** Notifications have no lines: where one ends is shown by a sign. */
function onOneLine(text: string): string {
  return text.trim().split(/\r?\n/).join(" ⏎ ");
}

/** Whether nothing is left out, also no white space. */
function isWhole(text: string): boolean {
  return line(text, MOST_OF_SUBJECT) === text;
}

/** How a choice is explained beside it. */
export function choiceDetail(approval: Approval, choice: string): string {
  return choice === approval.choices.at(-1) ? "Refuse" : line(onOneLine(approval.subject), MOST_OF_SUBJECT);
}
