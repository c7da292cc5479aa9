// Says once when a run waits for a key, and leads to where one is given. Refuses to speak of pauses that ask a question:
// those are in the queue.

import type { Link } from "../connection";
import type { Projection } from "../projection";
import type { Projects } from "../projects";
import { tellOfKey } from "./notices";

export function tellOfKeys(projects: Projects): Link {
  const told = new Set<string>();
  const look = (project: Projection): void => {
    const { run } = project.known;
    if (run === null) {
      return;
    }
    if (run.state !== "paused" || run.cause !== "key") {
      // The next time is news.
      told.delete(run.id);
    } else if (!told.has(run.id)) {
      told.add(run.id);
      tellOfKey(run.reason);
    }
  };
  return projects.listen({ opened: look, changed: (project, change) => change.around && look(project) });
}
