import { useState, type FormEvent, type ReactNode } from "react";
import { keepToken, type Failure } from "../api/client";

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

const NO_TOKEN = 401;
const NOT_ALLOWED = 403;
const NOT_FOUND = 404;

export function Failed({ failure, again, what }: { failure: Failure; again: () => void; what: string }) {
  if (failure.status === NO_TOKEN)
    return (
      <div className="state" role="alert">
        <p className="state-title">This server asks for a token</p>
        <p>Whoever runs it can make one for you, with the right to read.</p>
        <TokenForm again={again} />
      </div>
    );
  return (
    <div className="state state-failed" role="alert">
      <p className="state-title">{failure.status === NOT_FOUND ? "Not found" : `Could not load ${what}`}</p>
      <p>{failure.message}</p>
      {failure.where && <p className="muted">Where: {failure.where}</p>}
      {failure.nextStep && <p>Next step: {failure.nextStep}</p>}
      {failure.status === NOT_ALLOWED ? (
        <TokenForm again={again} />
      ) : (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

function TokenForm({ again }: { again: () => void }) {
  const [token, setToken] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keepToken(token.trim());
    again();
  };
  return (
    <form className="token-form" onSubmit={submit}>
      <label>
        Token
        <input type="password" autoComplete="off" required value={token} onChange={(event) => setToken(event.target.value)} />
      </label>
      <button type="submit">Use it until the tab is closed</button>
    </form>
  );
}

/** Room for what the server has no figures of. */
export function NotMeasured({ children = "not measured yet" }: { children?: ReactNode }) {
  return <span className="not-measured">{children}</span>;
}
