// The wire as typed calls. Refuses to know how messages travel.

import type { Notifications, Requests, WireEvent } from "./protocol.gen";

export type Method = keyof Requests;
export type ParamsOf<M extends Method> = Requests[M]["params"];
export type ResultOf<M extends Method> = Requests[M]["result"];
export type Output = Notifications["specloom/output"]["params"];
export type Gap = Notifications["specloom/gap"]["params"];
export type Health = Notifications["specloom/health"]["params"];
export type { WireEvent };

/** Asks the server; rejects with its error, or when nobody is there to answer. */
export interface Wire {
  request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
}

/** The methods whose parameters take a `commandId`: the same id twice is one effect. */
export type OrderMethod = {
  [M in Method]: "commandId" extends keyof ParamsOf<M> ? M : never;
}[Method];

/** Our name of a refusal (`data.reason` of error -32803), if an error is one. */
export function reasonOf(error: unknown): string | undefined {
  const data = (error as { data?: { reason?: unknown } } | undefined)?.data;
  return typeof data?.reason === "string" ? data.reason : undefined;
}

/** Codes of messages that could not be written, or whose connection is closed: those of JSON-RPC and of pipes. */
const LOST: ReadonlySet<unknown> = new Set([-32099, -32097, -32096, "EPIPE", "ERR_STREAM_DESTROYED"]);

/** Whether an error says that the server went, and not what it answered. */
export function wasLost(error: unknown): boolean {
  return LOST.has((error as { code?: unknown } | undefined)?.code);
}

/** What an error says, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
