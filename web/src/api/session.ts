import { useSyncExternalStore } from "react";
import { address, call, Failure, forget, onSessionLost } from "./client";
import type { Role, Session } from "./answers/access";

const NOBODY = 401;

/** `ended`: somebody was signed in, and the server no longer knows them. */
export type SignIn =
  | { state: "asking" }
  | { state: "open" }
  | { state: "in"; name: string; role: Role }
  | { state: "out"; why: "new" | "left" | "ended" };

let now: SignIn = { state: "asking" };
let asked = false;
const listeners = new Set<() => void>();

function become(next: SignIn): void {
  now = next;
  forget();
  for (const listener of listeners) listener();
}

function take(session: Session): void {
  if (!session.tokens_required) become({ state: "open" });
  else if (session.name !== null && session.role !== null) become({ state: "in", name: session.name, role: session.role });
  else become({ state: "out", why: "new" });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!asked) {
    asked = true;
    onSessionLost(() => {
      if (now.state !== "out") become({ state: "out", why: "ended" });
    });
    // Where nobody can say, the pages themselves tell what is wrong.
    call("GET", address("/session")).then((session) => take(session as Session), () => become({ state: "open" }));
  }
  return () => listeners.delete(listener);
}

/** Who is signed in; `open` where the server asks for no tokens. */
export function useSignIn(): SignIn {
  return useSyncExternalStore(subscribe, () => now);
}

/** Whether the access log may be read, as far as is known here: the server decides. */
export function mayAudit(signIn: SignIn): boolean {
  return signIn.state === "open" || (signIn.state === "in" && (signIn.role === "auditor" || signIn.role === "admin"));
}

/** Shows the server a token, which is kept nowhere. Throws a Failure. */
export async function signIn(token: string): Promise<void> {
  take((await call("POST", address("/session"), { token })) as Session);
}

/** Ends the session, here and at the server. Throws a Failure, and one is then still signed in. */
export async function signOut(): Promise<void> {
  try {
    await call("DELETE", address("/session"));
  } catch (error) {
    if (!(error instanceof Failure) || error.status !== NOBODY) throw error;
  }
  become({ state: "out", why: "left" });
}
