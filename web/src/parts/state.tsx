import type { ReactNode } from "react";
import type { Failure } from "../api/client";
import { useSignIn } from "../api/session";
import type { Role } from "../api/answers/access";

export function Loading({ what }: { what: string }) {
  return (
    <div className="state" role="status">
      <span className="state-bar" aria-hidden="true" />
      <p>Loading {what}…</p>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      {children}
    </div>
  );
}

const NOT_ALLOWED = 403;
const NOT_FOUND = 404;

export function Failed({ failure, again, what }: { failure: Failure; again: () => void; what: string }) {
  const signIn = useSignIn();
  if (failure.status === NOT_ALLOWED && signIn.state === "in") return <NotAllowed what={what} name={signIn.name} role={signIn.role} />;
  return (
    <div className="state state-failed" role="alert">
      <p className="state-title">{failure.status === NOT_FOUND ? "Not found" : `Could not load ${what}`}</p>
      <p>{failure.message}</p>
      {failure.where && <p className="muted">Where: {failure.where}</p>}
      {failure.nextStep && <p>Next step: {failure.nextStep}</p>}
      <button type="button" onClick={again}>
        Try again
      </button>
    </div>
  );
}

const MAY: Record<Role, string> = {
  emitter: "sends events, and reads nothing",
  reader: "reads lineage, and not who looked at what",
  auditor: "reads lineage and who looked at what",
  admin: "may do everything",
};

/** The server knows who asks, and their role may not see it. */
export function NotAllowed({ what, name, role }: { what: string; name: string; role: Role }) {
  return (
    <div className="state state-refused" role="alert">
      <p className="state-title">Your role may not see {what}</p>
      <p>
        You are signed in as <strong>{name}</strong>, whose role is <strong>{role}</strong>: it {MAY[role]}.
      </p>
      <p>Next step: ask who runs this server for a token of another role, sign out, and sign in with it. That you asked is written down.</p>
    </div>
  );
}

/** Room for what the server has no figures of. */
export function NotMeasured({ children = "not measured yet" }: { children?: ReactNode }) {
  return <span className="not-measured">{children}</span>;
}
