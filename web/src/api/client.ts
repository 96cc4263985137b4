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

const TOKEN = "penstock.token";

/** The token that calls are made with, where the server asks for one; kept until the tab is closed. */
export function keepToken(token: string): void {
  window.sessionStorage.setItem(TOKEN, token);
  forget();
}

function headers(): Record<string, string> {
  const token = window.sessionStorage.getItem(TOKEN);
  return { Accept: "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
}

async function fetched(url: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { headers: headers() });
  } catch {
    throw new Failure(
      "The server does not answer.",
      null,
      "Look whether it still runs, then try again.",
      null,
    );
  }
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    if (response.ok)
      throw new Failure("The answer is not JSON.", url, "Look into the server's log.", response.status);
  }
  if (response.ok) return body;
  const facts = (body && typeof body === "object" ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof facts[name] === "string" ? (facts[name] as string) : null);
  throw new Failure(
    text("error") ?? `The server answered with status ${response.status}.`,
    text("where"),
    text("next_step"),
    response.status,
  );
}
