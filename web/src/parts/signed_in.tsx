import { useState } from "react";
import { Failure } from "../api/client";
import { signOut } from "../api/session";

/** Who is signed in, as what, and the way out. */
export function SignedIn({ name, role }: { name: string; role: string }) {
  const [failed, setFailed] = useState(false);
  const leave = () => {
    setFailed(false);
    signOut().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      setFailed(true);
    });
  };
  return (
    <div className="signed-in" role="group" aria-label="Signed in">
      <span className="signed-in-name" title={`Signed in as ${name}`}>
        {name}
      </span>
      <span className="mark">{role}</span>
      <button type="button" className="quiet" onClick={leave}>
        Sign out
      </button>
      {failed && (
        <span className="in-clear" role="alert">
          still signed in: the server does not answer
        </span>
      )}
    </div>
  );
}
