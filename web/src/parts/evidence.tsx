import { useState } from "react";
import { address, download, Failure } from "../api/client";
import { mayAudit, useSignIn } from "../api/session";

interface Asked {
  id?: string | null;
  column?: string | null;
  pii?: string | null;
  since?: string | null;
  until?: string | null;
}

/** One click to the signed bundle of what the ledger knows; for who may audit. `of` names it in words. */
export function EvidenceButton({ of, asked, quiet = false }: { of: string; asked: Asked; quiet?: boolean }) {
  const signIn = useSignIn();
  const [state, setState] = useState<"ready" | "making" | Failure>("ready");
  if (!mayAudit(signIn)) return null;
  const make = () => {
    setState("making");
    download(address("/evidence", { ...asked }), `evidence ${of}.zip`).then(
      () => setState("ready"),
      (error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        setState(error);
      },
    );
  };
  return (
    <>
      <button type="button" className={quiet ? "quiet" : "button"} aria-label={`Evidence of ${of}`} disabled={state === "making"} onClick={make}>
        {state === "making" ? "Making…" : "Evidence"}
      </button>
      {state instanceof Failure && (
        <span className="in-clear" role="alert">
          No evidence: {state.message}. {state.nextStep && `Next step: ${state.nextStep}.`}
        </span>
      )}
    </>
  );
}
