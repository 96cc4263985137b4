import type { ReactNode } from "react";
import type { Failure } from "../api/client";

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

export function Failed({ failure, again, what }: { failure: Failure; again: () => void; what: string }) {
  return (
    <div className="state state-failed" role="alert">
      <p className="state-title">
        {failure.status === 404 ? "Not found" : `Could not load ${what}`}
      </p>
      <p>{failure.message}</p>
      {failure.where && <p className="muted">Where: {failure.where}</p>}
      {failure.nextStep && <p>Next step: {failure.nextStep}</p>}
      <button type="button" onClick={again}>
        Try again
      </button>
    </div>
  );
}

/** Room for what the server has no figures of. */
export function NotMeasured({ children = "not measured yet" }: { children?: ReactNode }) {
  return <span className="not-measured">{children}</span>;
}
