import { useState, type FormEvent } from "react";
import { address } from "../api/client";
import type { SearchResults } from "../api/answers/overview";
import { useAnswer } from "../api/use_answer";
import { plural } from "../format";
import { datasetHref, graphHref } from "../parts/link";
import { Page } from "../parts/page";
import { Empty, Failed, Loading } from "../parts/state";
import { Link, navigate, to, type Place } from "../router";

type Result = SearchResults["results"][number];

const LIMIT = 200;
const KINDS: [Result["kind"], string][] = [
  ["dataset", "Datasets"],
  ["column", "Columns"],
  ["tag", "Tags"],
  ["owner", "Owners"],
  ["job", "Jobs"],
  ["run", "Runs"],
];

export function SearchView({ place }: { place: Place }) {
  const asked = (place.query.get("q") ?? "").trim();
  const answer = useAnswer<SearchResults>(asked ? address("/search", { q: asked, limit: LIMIT }) : null);
  const results = answer.data?.results ?? [];
  return (
    <Page title={asked ? `Search: ${asked}` : "Search"} lead={asked ? undefined : "Datasets, columns, tags, owners, jobs and runs."}>
      {!asked ? (
        <Ask />
      ) : answer.failure ? (
        <Failed failure={answer.failure} again={answer.again} what="the results" />
      ) : !answer.data ? (
        <Loading what="the results" />
      ) : results.length === 0 ? (
        <Empty title={`Nothing is called “${asked}”.`}>
          <p>A part of a name is enough: of a dataset, a column, a tag, an owner, a job, or a run’s id.</p>
        </Empty>
      ) : (
        <>
          <p className="note" role="status">
            {plural(results.length, "result")}
            {results.length >= LIMIT && "; there may be more: say more of the name"}
          </p>
          {KINDS.map(([kind, title]) => (
            <Kind key={kind} title={title} results={results.filter((one) => one.kind === kind)} />
          ))}
        </>
      )}
    </Page>
  );
}

function Kind({ title, results }: { title: string; results: readonly Result[] }) {
  if (results.length === 0) return null;
  return (
    <section className="section" aria-label={title}>
      <h2>
        {title} <span className="muted">{results.length}</span>
      </h2>
      <ul className="results">
        {results.map((one, index) => (
          <li key={index}>
            <span>
              <Found result={one} />
            </span>
            <span className="muted">
              {one.detail}
              {one.dataset && (
                <>
                  {" "}
                  <Link href={graphHref(one.dataset, one.column)} aria-label={`Graph of ${one.label}`}>
                    graph
                  </Link>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Found({ result }: { result: Result }) {
  const href = result.run_id ? to("/run", { id: result.run_id }) : result.dataset ? datasetHref(result.dataset, result.column) : null;
  return href ? (
    <Link className="name" href={href}>
      {result.label}
    </Link>
  ) : (
    <span className="name">{result.label}</span>
  );
}

function Ask() {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) navigate(to("/search", { q: text.trim() }));
  };
  return (
    <form className="big-search" onSubmit={submit}>
      <input type="search" aria-label="What to search for" value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit">Search</button>
    </form>
  );
}
