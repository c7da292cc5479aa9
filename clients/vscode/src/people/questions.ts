// The texts of questions. Refuses to leave out what exactly a yes allows.

import type { Approval } from "../protocol.gen";
import { line, unlinked } from "../texts";

/** More buttons than that are cut off in a notification. */
export const MOST_BUTTONS = 3;
const MOST_OF_SUBJECT = 400;
const MOST_OF_ROW = 70;
const CHUNKS = new RegExp(`.{1,${MOST_OF_ROW}}(?:\\s|$)|.{1,${MOST_OF_ROW}}`, "gu");

/** A notification's text: why it is asked, then the exact command, rule or text; and what it is about. `of`: in which of several projects. */
export function questionText(approval: Approval, of = ""): string {
  const known = approval.taskId === null || approval.purpose.includes(approval.taskId);
  const about = known ? "" : ` (task ${approval.taskId})`;
  const text = `${line(approval.purpose, 200)}: ${line(onOneLine(approval.subject), MOST_OF_SUBJECT)}`;
  return `Specloom asks${of === "" ? "" : ` in ${unlinked(of)}`}${about}: ${unlinked(text)}`;
}

/** Whether a notification can show all of it; else it leads to the whole text. */
export function fitsNotification(approval: Approval): boolean {
  return approval.choices.length > 0 && approval.choices.length <= MOST_BUTTONS && isWhole(onOneLine(approval.subject));
}

/** Notifications have no lines: where one ends is shown by a sign. */
function onOneLine(text: string): string {
  return text.trim().split(/\r?\n/).join(" ⏎ ");
}

/** Whether nothing is left out or otherwise, also no white space. */
function isWhole(text: string): boolean {
  return unlinked(line(text, MOST_OF_SUBJECT)) === text;
}

/** Exactly what a yes allows, as rows below the choices: the editor shows what it has to cut, and each text below a choice, above the
 * next ones. */
export function subjectRows({ subject }: Approval): string[] {
  return subject.trim().split(/\r?\n/).flatMap((each) => each.match(CHUNKS) ?? [""]);
}
