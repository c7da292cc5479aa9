// What a task's state means for others: followers get ready, parents and specs count. Refuses to order tasks; that is
// the server's.

import type { DependencyGroup, Task } from "./protocol.gen";

export type State = Task["state"];

/** Who hears of what follows, at once. */
export interface Followed {
  /** The task has another state: a leaf, or a parent whose leaves do. */
  entered(task: Task, state: State): void;
  /** What it waits for reads otherwise. */
  touched(id: string): void;
}

type Tally = Record<State, number> & { total: number };

/** A parent is in the first of these that one of its leaves is in. */
const FIRST_SEEN: readonly State[] = ["in_progress", "failed", "blocked", "ready"];

export class Graph {
  /** Leaves and groups that wait for a leaf or a group. */
  private readonly followers = new Map<string, string[]>();
  /** How many of what it waits for are not satisfied. */
  private readonly missing = new Map<string, number>();
  /** Pending though nothing is missing: their dependencies are faulty. */
  private readonly held = new Set<string>();
  /** Of each parent: leaves by state, and how many there are that make it done. */
  private readonly tallies = new Map<string, Tally>();

  constructor(
    private readonly tasks: ReadonlyMap<string, Task>,
    groups: readonly DependencyGroup[],
    private readonly followed: Followed,
  ) {
    groups.forEach((each) => this.link(group(each.id), [...each.taskIds, ...each.groups.map(group)]));
    const leaves = [...tasks.values()].filter((task) => task.isLeaf);
    leaves.forEach((leaf) => this.link(leaf.id, [...leaf.dependsOn, ...leaf.dependsOnGroups.map(group)]));
    leaves.forEach((leaf) => this.count(leaf, leaf.state, 1));
    leaves.filter((leaf) => isOver(leaf.state)).forEach((leaf) => this.spread(leaf.id, true, () => undefined));
    leaves.filter((leaf) => leaf.state === "pending" && !this.waits(leaf.id)).forEach((leaf) => this.held.add(leaf.id));
  }

  /** Moves a leaf to another state; `pending` is `ready` where nothing is left to wait for. */
  move(leaf: Task, state: State): void {
    const now = state === "pending" ? this.open(leaf) : state;
    this.enter(leaf, now);
    if (isOver(leaf.state) !== isOver(now)) {
      this.spread(leaf.id, isOver(now), (id) => this.follow(id));
    }
  }

  private follow(id: string): void {
    const task = this.tasks.get(id);
    this.followed.touched(id);
    if (task?.state === "pending" || task?.state === "ready") {
      this.enter(task, this.open(task));
    }
  }

  private waits(id: string): boolean {
    return (this.missing.get(id) ?? 0) > 0;
  }

  private open(leaf: Task): State {
    return this.waits(leaf.id) || this.held.has(leaf.id) ? "pending" : "ready";
  }

  private enter(leaf: Task, state: State): void {
    if (leaf.state !== state) {
      this.count(leaf, leaf.state, -1);
      this.count(leaf, state, 1);
      this.followed.entered(leaf, state);
      this.above(leaf).forEach((parent) => this.followed.entered(parent, this.sum(parent.id)));
    }
  }

  private count(leaf: Task, state: State, by: number): void {
    for (const parent of this.above(leaf)) {
      const tally = this.tallies.get(parent.id) ?? empty();
      this.tallies.set(parent.id, tally);
      const counts = parent.optional || !leaf.optional ? by : 0;
      tally[state] += counts;
      tally.total += counts;
    }
  }

  private above(task: Task): Task[] {
    const parent = task.parent === null ? undefined : this.tasks.get(task.parent);
    return parent === undefined ? [] : [parent, ...this.above(parent)];
  }

  private sum(parent: string): State {
    const tally = this.tallies.get(parent) ?? empty();
    if (tally.total > 0 && tally.done + tally.skipped === tally.total) {
      return "done";
    }
    return FIRST_SEEN.find((state) => tally[state] > 0) ?? "pending";
  }

  private link(id: string, waits: readonly string[]): void {
    for (const before of waits) {
      const list = this.followers.get(before);
      if (list === undefined) {
        this.followers.set(before, [id]);
      } else {
        list.push(id);
      }
    }
    this.missing.set(id, (this.missing.get(id) ?? 0) + waits.length);
  }

  /** Goes on to whoever waits for what is satisfied now, or is so no longer; `seen` hears of each leaf that does. */
  private spread(from: string, satisfied: boolean, seen: (leaf: string) => void): void {
    const changed = [from];
    for (const at of changed) {
      for (const follower of this.followers.get(at) ?? []) {
        const before = this.missing.get(follower) ?? 0;
        const now = before + (satisfied ? -1 : 1);
        this.missing.set(follower, now);
        if (this.tasks.has(follower)) {
          seen(follower);
        } else if (before === 0 || now === 0) {
          changed.push(follower);
        }
      }
    }
  }
}

/** What a state counts as in sums of a spec and of the project. */
export function counted(state: State): "pending" | "done" | "failed" | "blocked" | "skipped" {
  return state === "ready" || state === "in_progress" ? "pending" : state;
}

function isOver(state: State): boolean {
  return state === "done" || state === "skipped";
}

/** Ids of groups are opaque, and no ids of tasks. */
function group(id: string): string {
  return `group ${id}`;
}

function empty(): Tally {
  return { pending: 0, ready: 0, in_progress: 0, done: 0, failed: 0, blocked: 0, skipped: 0, total: 0 };
}
