// The page's way to the extension. Refuses to keep anything beyond what a person typed and where they read.

import type { FromPage } from "../messages";

/** What outlives a reload of the page. */
export interface Kept {
  readonly draft?: string;
  /** The item at the top, where the end is not followed. */
  readonly anchor?: string | undefined;
}

interface Api {
  postMessage(message: FromPage): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
}

declare function acquireVsCodeApi(): Api;

const api = acquireVsCodeApi();

export function tell(message: FromPage): void {
  api.postMessage(message);
}

export function kept(): Kept {
  return api.getState() ?? {};
}

export function keep(change: Kept): void {
  api.setState({ ...kept(), ...change });
}
