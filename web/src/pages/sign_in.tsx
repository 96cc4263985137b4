import { useEffect, useRef, useState, type FormEvent } from "react";
import { Failure } from "../api/client";
import { signIn, type SignIn } from "../api/session";
import { Page } from "../parts/page";

const SAID = {
  new: null,
  left: "You are signed out.",
  ended: "Your session has ended. Sign in again, and you are back where you were.",
};

/** Stands in place of whatever page was asked for, whose address stays. */
export function SignInPage({ why }: { why: Extract<SignIn, { state: "out" }>["why"] }) {
  const [token, setToken] = useState("");
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await signIn(token.trim());
    } catch (error) {
      setFailure(error instanceof Failure ? error : new Failure(String(error), null, null, null));
      setBusy(false);
      setToken("");
      box.current?.focus();
    }
  };
  return (
    <Page title="Sign in" narrow lead={SAID[why]}>
      <form className="sign-in" onSubmit={submit}>
        {failure && (
          <div className="sign-in-failed" role="alert">
            <p className="state-title">You are not signed in</p>
            <p>{failure.message}</p>
            {failure.nextStep && <p>Next step: {failure.nextStep}</p>}
          </div>
        )}
        <label htmlFor="token">Token</label>
        <input
          ref={box}
          id="token"
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          required
          aria-invalid={failure ? true : undefined}
          aria-describedby="token-help"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <p id="token-help" className="muted">
          It begins with <code>pst_</code>. Who runs this server makes one for you, with a role that says what you may see.
        </p>
        <button type="submit" className="primary" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
      <p className="note sign-in-note">
        The token is not kept in the browser. You stay signed in for some hours, until you sign out or the token is revoked. What you look at is written
        down under its name.
      </p>
    </Page>
  );
}
