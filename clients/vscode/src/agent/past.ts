// What the Agent view is filled with: a projection and the newest events before it. Refuses to keep any of it.

import type { WireEvent } from "../protocol.gen";
import type { Wire } from "../wire";
import type { Known } from "./people";

/** Events that one look back brings. */
export const STEP = 2000;
const PAGE = 1000;
/** Documents are the editor's to show. */
const ELSEWHERE: ReadonlySet<string> = new Set(["requirementsRead", "requirementsRemoved", "specRead", "specRemoved", "projectOpened", "settingsChanged"]);

export interface Past {
  readonly id: string;
  readonly name: string;
  readonly known: Known;
  readonly events: readonly WireEvent[];
  readonly earlier: boolean;
}

/** Whether the view tells of an event at all. */
export function tells(event: WireEvent): boolean {
  return !ELSEWHERE.has(event.type);
}

/** Of one project, `depth` events deep; up to `known.seq` and not beyond. */
export async function past(wire: Wire, root: string, depth: number): Promise<Past> {
  const project = await wire.request("specloom/project/get", { root });
  const { seq, prompts, agents, sessions } = project;
  const since = Math.max(0, seq - depth);
  const events: WireEvent[] = [];
  for (let at = since; at < seq; ) {
    const page = await wire.request("specloom/events/list", { root, since: at, limit: PAGE });
    events.push(...page.events.filter((event) => event.seq <= seq && tells(event)));
    at = page.more ? (page.events.at(-1)?.seq ?? seq) : seq;
  }
  return { id: project.id, name: project.name, known: { seq, prompts, agents, sessions }, events, earlier: since > 0 };
}
