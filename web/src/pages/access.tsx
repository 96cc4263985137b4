import { useEffect, useState, type FormEvent } from "react";
import { asked } from "../access/words";
import { address, forget } from "../api/client";
import type { Access, AccessLog } from "../api/answers/access";
import { useAnswer } from "../api/use_answer";
import { nameOf, time } from "../format";
import { Page } from "../parts/page";
import { Empty, Failed, Loading } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { changed, Link, navigate, to, type Place } from "../router";

const LIMIT = 100;
const NOT_ALLOWED = 403;
const FILTERS = ["who", "q", "from", "to", "refused"] as const;
type Filters = Record<(typeof FILTERS)[number], string>;

const instant = (day: string | null, clock: string) => (day && /^\d{4}-\d\d-\d\d$/.test(day) ? `${day}T${clock}Z` : null);

/** Who asked for what, newest first. Every filter stands in the address. */
export function AccessView({ place }: { place: Place }) {
  const { query } = place;
  const dataset = query.get("dataset");
  const before = query.get("before");
  const answer = useAnswer<AccessLog>(
    address("/access", {
      who: query.get("who"),
      q: query.get("q"),
      dataset,
      since: instant(query.get("from"), "00:00:00"),
      until: instant(query.get("to"), "23:59:59.999999"),
      refused: query.get("refused") === "1" ? true : null,
      limit: LIMIT,
      before,
    }),
  );
  const log = answer.data;
  const label = dataset && (log?.labels[dataset] ?? nameOf(dataset));
  const filtered = Boolean(dataset) || FILTERS.some((name) => query.get(name));
  return (
    <Page
      title={label ? `Who has looked at ${label}` : "Access log"}
      lead={
        label
          ? "Calls that named this dataset, by any of its names. Lists, searches, the whole graph and the graph of a neighbour show it too, and do not name it."
          : "Who asked this server for what. A call is written down before it is answered, this one too."
      }
      actions={
        dataset ? (
          <>
            <Link className="button" href={to("/dataset", { id: dataset })}>
              Dataset page
            </Link>
            <Link className="button" href="/access">
              All calls
            </Link>
          </>
        ) : undefined
      }
    >
      {answer.failure?.status !== NOT_ALLOWED && <Filter query={query} callers={log?.callers ?? []} again={answer.again} />}
      {answer.failure ? (
        <Failed failure={answer.failure} again={answer.again} what="the access log" />
      ) : !log ? (
        <Loading what="the access log" />
      ) : log.accesses.length === 0 ? (
        <Empty title={before ? "There are no older calls." : filtered ? "No call matches." : "No call has been written down yet."}>
          {(filtered || before) && (
            <p>
              <Link href="/access">All calls</Link>
            </p>
          )}
        </Empty>
      ) : (
        <div className="access-log">
          <Table
            caption="Calls, newest first"
            columns={columnsOf(log.labels)}
            rows={log.accesses}
            rowKey={(one) => String(one.id)}
            rowClass={(one) => (one.refused ? "row-refused" : undefined)}
          />
          <Pages query={query} last={log.more ? log.accesses.at(-1) : undefined} />
        </div>
      )}
    </Page>
  );
}

function Filter({ query, callers, again }: { query: URLSearchParams; callers: readonly string[]; again: () => void }) {
  const read = () => Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""])) as Filters;
  const [values, setValues] = useState(read);
  const key = query.toString();
  useEffect(() => setValues(read()), [key]);
  const set = (name: keyof Filters, value: string) => setValues({ ...values, [name]: value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next = changed(query, { ...values, before: null });
    // What was written down meanwhile is to be seen too.
    if (next.toString() === query.toString()) return again();
    forget();
    navigate(`/access?${next.toString()}`);
  };
  return (
    <form className="access-filter" aria-label="Filter the calls" onSubmit={submit}>
      <label>
        Who
        <input type="text" list="callers" autoComplete="off" placeholder="anybody" value={values.who} onChange={(event) => set("who", event.target.value)} />
        <datalist id="callers">
          {callers.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <label className="access-filter-text">
        What
        <input type="text" placeholder="a part of a dataset’s name, a path, a search" value={values.q} onChange={(event) => set("q", event.target.value)} />
      </label>
      <label>
        From
        <input type="date" value={values.from} onChange={(event) => set("from", event.target.value)} />
      </label>
      <label>
        To (UTC)
        <input type="date" value={values.to} onChange={(event) => set("to", event.target.value)} />
      </label>
      <label className="check">
        <input type="checkbox" checked={values.refused === "1"} onChange={(event) => set("refused", event.target.checked ? "1" : "")} /> Refused only
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

function Pages({ query, last }: { query: URLSearchParams; last: Access | undefined }) {
  const kept = Object.fromEntries(["dataset", ...FILTERS].map((name) => [name, query.get(name)]));
  const before = query.get("before");
  if (!before && !last) return null;
  return (
    <nav className="pages" aria-label="Pages of the log">
      {before && <Link href={to("/access", kept)}>Newest</Link>}
      {last && <Link href={to("/access", { ...kept, before: String(last.id) })}>Older</Link>}
    </nav>
  );
}

const REFUSED: Record<number, string> = { 401: "not signed in", 403: "not allowed", 414: "too long", 421: "not by this name", 429: "too often" };

function columnsOf(labels: Readonly<Record<string, string>>): TableColumn<Access>[] {
  return [
    { title: "Time", cell: (one) => <Moment iso={one.at} /> },
    { title: "Who", wide: true, cell: (one) => <Who call={one} /> },
    { title: "What", wide: true, cell: (one) => <What call={one} labels={labels} /> },
    { title: "Answer", cell: (one) => one.status },
    { title: "Client", cell: (one) => one.client },
  ];
}

function Moment({ iso }: { iso: string }) {
  const [day, ...clock] = time(iso, { seconds: true }).split(" ");
  return (
    <time dateTime={iso} className="moment">
      {day} <span>{clock.join(" ")}</span>
    </time>
  );
}

function Who({ call }: { call: Access }) {
  if (!call.who) return <span className="muted">nobody signed in</span>;
  return (
    <>
      <div className="name">{call.who}</div>
      <div className="muted">{call.role}</div>
    </>
  );
}

function What({ call, labels }: { call: Access; labels: Readonly<Record<string, string>> }) {
  return (
    <>
      <div>
        {asked(call, labels)} {call.refused && <Refused call={call} />}
      </div>
      <code className="raw">
        {call.method} {call.path}
        {call.query && `?${call.query}`}
      </code>
    </>
  );
}

function Refused({ call }: { call: Access }) {
  const wrongToken = call.method === "POST" && call.status === 401;
  return <span className="mark state-fail">✕ {wrongToken ? "refused: no such token" : `refused: ${REFUSED[call.status] ?? call.status}`}</span>;
}
