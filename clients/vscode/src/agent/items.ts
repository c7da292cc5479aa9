// What the Agent view shows, one item a paragraph of the story. Refuses whatever cannot be told from events and output.

/** What every item has. */
interface Shown {
  /** Unique and stable: the same fact gets the same id after a reload. */
  readonly id: string;
  /** Of whose conversation it is; empty: of the project. */
  readonly session: string;
  /** 1: of a sub-agent, which works inside of a call. */
  readonly depth: 0 | 1;
  /** ISO-8601 UTC; empty while it is only output. */
  at: string;
}

/** Words that stream in. */
export interface Words extends Shown {
  readonly kind: "words";
  readonly who: "agent" | "thinking" | "person" | "given" | "spec";
  readonly title: string;
  text: string;
  /** Characters that stood before `text` and are not kept. */
  cut: number;
  live: boolean;
}

/** A line of a small diff. */
export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

/** One place that an edit changes. */
export interface Hunk {
  /** 1-based; 0: the whole file. */
  readonly line: number;
  readonly lines: readonly DiffLine[];
}

/** A tool call. */
export interface Call extends Shown {
  readonly kind: "call";
  name: string;
  /** Command, path, pattern: what it is about, in one line. */
  subject: string;
  /** Of the file that it is about; empty: of none. */
  path: string;
  line: number;
  /** Characters of its input so far. */
  written: number;
  hunks: readonly Hunk[];
  /** What it printed, then what the model was told. */
  output: string;
  cut: number;
  state: "writing" | "running" | "done" | "failed";
  rule: string;
  /** What came of its edits: where they were made, or why not. */
  notes: readonly string[];
}

/** A verify command. */
export interface Check extends Shown {
  readonly kind: "check";
  readonly command: string;
  readonly phase: "before" | "after" | "recheck";
  state: "running" | "passed" | "failed";
  output: string;
  cut: number;
  took: number;
  end: string;
}

/** Where another session begins. */
export interface Turnover extends Shown {
  readonly kind: "session";
  readonly title: string;
  readonly because: string;
}

export type Tone = "plain" | "good" | "bad" | "wait";

/** One line about the run, a task, the plan. */
export interface Note extends Shown {
  readonly kind: "note";
  readonly tone: Tone;
  readonly text: string;
  readonly detail: string;
  /** To be read out. */
  readonly loud: boolean;
}

export type Item = Words | Call | Check | Turnover | Note;

/** What a person said that no agent has heard yet. */
export interface Pending {
  readonly id: string;
  readonly agentId: string;
  readonly text: string;
}

/** An agent that is at work and can be spoken to. */
export interface Listening {
  readonly agentId: string;
  readonly role: string;
  readonly taskId: string | null;
  readonly sessionId: string;
}
