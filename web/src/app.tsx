import { useEffect, useRef, useState, type FormEvent } from "react";
import { mayAudit, useSignIn } from "./api/session";
import { AccessView } from "./pages/access";
import { DatasetView } from "./pages/dataset";
import { GraphPage } from "./pages/graph";
import { Home } from "./pages/home";
import { PiiView } from "./pages/pii";
import { RunView } from "./pages/run";
import { SearchView } from "./pages/search";
import { SignInPage } from "./pages/sign_in";
import { Page } from "./parts/page";
import { SignedIn } from "./parts/signed_in";
import { Empty, Loading } from "./parts/state";
import { Link, navigate, to, usePlace, type Place } from "./router";
import { ThemeSwitch } from "./theme";

const LINKS = [
  ["/", "Datasets"],
  ["/graph", "Graph"],
  ["/pii", "Personal data"],
] as const;
const AUDIT_LINKS = [["/access", "Access log"]] as const;

export function App() {
  const place = usePlace();
  const signIn = useSignIn();
  const known = signIn.state === "open" || signIn.state === "in";
  const links = mayAudit(signIn) ? [...LINKS, ...AUDIT_LINKS] : LINKS;
  return (
    <>
      <a className="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header className="top">
        <Link className="brand" href="/">
          <span aria-hidden="true" className="brand-mark" />
          Penstock <span className="brand-what">lineage</span>
        </Link>
        {known && (
          <>
            <nav aria-label="Pages">
              {links.map(([href, text]) => (
                <Link key={href} href={href} aria-current={place.path === href ? "page" : undefined}>
                  {text}
                </Link>
              ))}
            </nav>
            <SearchBox place={place} />
          </>
        )}
        {signIn.state === "in" && <SignedIn name={signIn.name} role={signIn.role} />}
        <ThemeSwitch />
      </header>
      {signIn.state === "out" ? (
        <SignInPage key={signIn.why} why={signIn.why} />
      ) : signIn.state === "asking" ? (
        <main id="content" className="page">
          <Loading what="the page" />
        </main>
      ) : (
        <Shown place={place} />
      )}
    </>
  );
}

// A link to an anchor would go through the history; the focus is all that has to move.
function skip(event: { preventDefault: () => void }): void {
  event.preventDefault();
  const heading = document.querySelector<HTMLElement>("#content h1");
  heading?.focus();
}

function Shown({ place }: { place: Place }) {
  const id = place.query.get("id");
  switch (place.path) {
    case "/":
      return <Home />;
    case "/graph":
      return <GraphPage place={place} />;
    case "/dataset":
      return <DatasetView key={id} place={place} />;
    case "/run":
      return <RunView key={id} place={place} />;
    case "/search":
      return <SearchView place={place} />;
    case "/access":
      return <AccessView place={place} />;
    case "/pii":
      return <PiiView place={place} />;
    default:
      return (
        <Page title="No such page">
          <Empty title="Nothing is kept at this address.">
            <p>
              <Link href="/">All datasets</Link>
            </p>
          </Empty>
        </Page>
      );
  }
}

function SearchBox({ place }: { place: Place }) {
  const asked = place.path === "/search" ? (place.query.get("q") ?? "") : "";
  const [text, setText] = useState(asked);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      box.current?.focus();
      box.current?.select();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    navigate(to("/search", { q: text.trim() }));
  };
  return (
    <form role="search" className="search-box" onSubmit={submit}>
      <input
        ref={box}
        type="search"
        aria-label="Search datasets, columns, tags, owners and runs"
        placeholder="Search"
        value={text}
        onChange={(event) => setText(event.target.value)}
        aria-keyshortcuts="/"
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
