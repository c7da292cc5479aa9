// Says once that a plan or a run ended without what it was for. Refuses to speak of what a person cancelled, of what went well, and of
// what had ended before anybody looked.

import type { Link } from "../connection";
import type { Projection } from "../projection";
import type { Projects } from "../projects";
import { line, planWord, runWord, some } from "../texts";

const MOST_OF_REASON = 300;

/** Calls `tell` with each such end, in words. */
export function hearEnds(projects: Projects, tell: (text: string) => void): Link {
  const known = new Map<string, string>();
  const look = (project: Projection, isNews: boolean): void => {
    for (const [what, state, text] of [ofPlan(project), ofRun(project)]) {
      const key = `${project.root} ${what}`;
      const before = known.get(key);
      known.set(key, state);
      if (isNews && text !== "" && before !== state) {
        tell(projects.all.length > 1 ? `${project.known.name}: ${text}` : text);
      }
    }
  };
  return projects.listen({ opened: (project) => look(project, false), changed: (project, change) => change.around && look(project, true) });
}

type Stand = readonly [what: string, state: string, text: string];

function ofPlan({ known }: Projection): Stand {
  const plan = known.planning;
  const isOver = plan?.state === "failed" && !plan.reason.startsWith("cancelled");
  const text = isOver ? `the ${line(planWord(plan), MOST_OF_REASON)}` : "";
  return ["plan", plan === null ? "" : `${plan.id} ${plan.state}`, text];
}

function ofRun({ known }: Projection): Stand {
  const { run, counts } = known;
  const isOver = run?.state === "finished" && run.outcome !== "completed" && run.outcome !== "cancelled";
  const text = isOver ? said(`the run is ${runWord(run)}, ${counts.done} of ${some(counts.total, "task")} done`, run.reason) : "";
  return ["run", run === null ? "" : `${run.id} ${run.state}`, text];
}

function said(what: string, reason: string): string {
  return reason === "" ? what : `${what}: ${line(reason, MOST_OF_REASON)}`;
}
