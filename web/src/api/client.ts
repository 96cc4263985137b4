const PREFIX = "/api/penstock/v1";
const KEPT_MILLISECONDS = 20_000;
const KEPT_ANSWERS = 60;

/** What the server, or the way to it, said no with: what happened, where, and one next step. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly where: string | null,
    readonly nextStep: string | null,
    readonly status: number | null,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** The address of an endpoint; null and undefined values are left out. */
export function address(endpoint: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return PREFIX + endpoint + (text ? `?${text}` : "");
}

const kept = new Map<string, { answer: Promise<unknown>; since: number }>();

/** The answer at an address; asked again within some seconds it is the same one. */
export function ask<T>(url: string): Promise<T> {
  const now = Date.now();
  const known = kept.get(url);
  if (known && now - known.since < KEPT_MILLISECONDS) return known.answer as Promise<T>;
  const answer = fetched(url);
  kept.delete(url);
  kept.set(url, { answer, since: now });
  answer.catch(() => kept.delete(url));
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT_ANSWERS) break;
    kept.delete(oldest);
  }
  return answer as Promise<T>;
}

/** Lets the next question go to the server. */
export function forget(): void {
  kept.clear();
}

const NO_CONTENT = 204;
const NOBODY = 401;
let lost = () => {};

/** Calls `listener` when the server no longer knows who asks. */
export function onSessionLost(listener: () => void): void {
  lost = listener;
}

async function fetched(url: string): Promise<unknown> {
  try {
    return await call("GET", url);
  } catch (error) {
    if (error instanceof Failure && error.status === NOBODY) lost();
    throw error;
  }
}

/** The answer to a call that is not kept; null where there is none. */
export async function call(method: "GET" | "POST" | "DELETE", url: string, told?: unknown): Promise<unknown> {
  const headers = { Accept: "application/json", ...(told === undefined ? {} : { "Content-Type": "application/json" }) };
  const response = await answered(url, { method, headers, body: told === undefined ? null : JSON.stringify(told) });
  if (response.status === NO_CONTENT) return null;
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    if (response.ok)
      throw new Failure("The answer is not JSON.", url, "Look into the server's log.", response.status);
  }
  if (response.ok) return body;
  throw refusal(response, body);
}

/** Lets the browser keep the file at an address under this name. Throws a Failure. */
export async function download(url: string, name: string): Promise<void> {
  const response = await answered(url, {});
  if (!response.ok) {
    if (response.status === NOBODY) lost();
    throw refusal(response, await response.json().catch(() => null));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MILLISECONDS);
}

async function answered(url: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url, options);
  } catch {
    throw new Failure("The server does not answer.", null, "Look whether it still runs, then try again.", null);
  }
}

function refusal(response: Response, body: unknown): Failure {
  const facts = (body && typeof body === "object" ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof facts[name] === "string" ? (facts[name] as string) : null);
  return new Failure(
    text("error") ?? `The server answered with status ${response.status}.`,
    text("where"),
    text("next_step"),
    response.status,
  );
}
