// What the extension and the page of the Agent view tell each other. Refuses everything that is not plain data.

import type { OutputParams, WireEvent } from "../protocol.gen";
import type { Known } from "./people";

/** A piece of what happens, in the order in which it was heard. */
export type News = { readonly event: WireEvent } | { readonly output: OutputParams } | { readonly missed: number };

/** A project that can be looked at. */
export interface Choice {
  readonly root: string;
  readonly name: string;
}

/** What the page shows from the start; whatever it showed is void. */
export interface Reset {
  readonly kind: "reset";
  readonly root: string;
  readonly choices: readonly Choice[];
  readonly known: Known;
  readonly events: readonly WireEvent[];
  /** There are events before the first of these. */
  readonly earlier: boolean;
}

export type ToPage =
  | Reset
  | { readonly kind: "news"; readonly news: readonly News[] }
  | { readonly kind: "absent"; readonly text: string }
  | { readonly kind: "find" }
  | { readonly kind: "refused"; readonly text: string; readonly words: string };

export type FromPage =
  | { readonly kind: "ready" }
  | { readonly kind: "earlier" }
  | { readonly kind: "look"; readonly root: string }
  | { readonly kind: "open"; readonly path: string; readonly line: number }
  | { readonly kind: "follow"; readonly href: string }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "say"; readonly agentId: string; readonly text: string }
  | { readonly kind: "withdraw"; readonly promptId: string };
