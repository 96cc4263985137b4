import { useMemo, useState } from "react";
import { address } from "../api/client";
import type { Dataset, DatasetList } from "../api/answers/graph";
import type { Summary } from "../api/answers/overview";
import { useAnswer, useAnswers } from "../api/use_answer";
import { count, plural, time, words } from "../format";
import { byGroup, groupColour } from "../graph/group";
import { datasetHref, graphHref } from "../parts/link";
import { NotUnderstood } from "../parts/not_understood";
import { Page } from "../parts/page";
import { Empty, Failed, Loading, NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { Link } from "../router";

const PIECE = 200;

export function Home() {
  const [filter, setFilter] = useState("");
  const [pieces, setPieces] = useState(1);
  const summary = useAnswer<Summary>(address("/summary"));
  const list = useAnswers<DatasetList>(
    Array.from({ length: pieces }, (_, piece) => address("/datasets", { limit: PIECE, offset: piece * PIECE })),
  );
  const all = useMemo(() => list.data?.flatMap((piece) => piece.datasets) ?? [], [list.data]);
  const total = list.data?.[0]?.total ?? 0;
  const found = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    return byGroup(all.filter((one) => `${one.label} ${one.owner ?? ""} ${one.namespace}`.toLowerCase().includes(wanted)));
  }, [all, filter]);

  return (
    <Page
      title="Datasets"
      lead="What there is, where it comes from, and where personal data goes, as the ledger has recorded it."
      actions={
        <Link className="button" href="/graph">
          Whole graph
        </Link>
      }
    >
      {summary.failure ? (
        <Failed failure={summary.failure} again={summary.again} what="the summary" />
      ) : summary.data ? (
        <>
          <Figures summary={summary.data} />
          <NotUnderstood total={summary.data.events_not_understood ?? 0} />
        </>
      ) : (
        <Loading what="the summary" />
      )}
      {list.failure ? (
        <Failed failure={list.failure} again={list.again} what="the datasets" />
      ) : !list.data ? (
        <Loading what="the datasets" />
      ) : all.length === 0 ? (
        <Empty title="No dataset has been recorded yet.">
          <p>The first run of a dataset, or the first event sent to this server, makes it appear here.</p>
        </Empty>
      ) : (
        <>
          <div className="filter">
            <label htmlFor="filter">Filter the list</label>
            <input
              id="filter"
              type="text"
              value={filter}
              placeholder="name, owner or namespace"
              onChange={(event) => setFilter(event.target.value)}
            />
            <span className="muted" role="status">
              {count([...found.values()].reduce((sum, one) => sum + one.length, 0))} of {count(total)}
            </span>
          </div>
          {found.size === 0 && <Empty title={`No dataset in the list matches “${filter}”.`} />}
          {[...found].map(([group, datasets]) => (
            <section className="layer" key={group} aria-label={`Layer ${group}`}>
              <h2>
                <span className="swatch" style={{ background: groupColour(group) }} aria-hidden="true" />
                {group} <span className="muted">{plural(datasets.length, "dataset")}</span>
              </h2>
              <Table caption={`Datasets of ${group}`} columns={COLUMNS} rows={datasets} rowKey={(one) => one.id} />
            </section>
          ))}
          {all.length < total && (
            <p className="table-more">
              <button type="button" disabled={list.waiting} onClick={() => setPieces(pieces + 1)}>
                Load {count(Math.min(PIECE, total - all.length))} more
              </button>
            </p>
          )}
        </>
      )}
    </Page>
  );
}

function Figures({ summary }: { summary: Summary }) {
  const figures: [string, string][] = [
    ["Datasets", count(summary.datasets)],
    ["Columns", count(summary.columns)],
    ["Jobs", count(summary.jobs)],
    ["Runs", count(summary.runs)],
    ["Events", count(summary.events)],
    ["Namespaces", count(summary.namespaces.length)],
  ];
  return (
    <dl className="figures" aria-label="Summary">
      {figures.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div className="figures-wide">
        <dt>Recorded</dt>
        <dd>
          {time(summary.first_event)} <span className="muted">to</span> {time(summary.last_event)}
        </dd>
      </div>
    </dl>
  );
}

function classes(dataset: Dataset) {
  const clear = new Set<string>();
  const masked = new Set<string>();
  for (const column of dataset.columns) if (column.pii) (column.masked ? masked : clear).add(words(column.pii));
  if (dataset.columns.length === 0) return <NotMeasured>not known</NotMeasured>;
  if (clear.size + masked.size === 0) return <span className="muted">none</span>;
  return (
    <>
      {clear.size > 0 && (
        <>
          <span className="in-clear">in clear</span> {[...clear].join(", ")}
        </>
      )}
      {clear.size > 0 && masked.size > 0 && "; "}
      {masked.size > 0 && (
        <>
          <span className="is-masked">masked</span> {[...masked].join(", ")}
        </>
      )}
    </>
  );
}

const COLUMNS: TableColumn<Dataset>[] = [
  {
    title: "Dataset",
    width: "21%",
    cell: (one) => (
      <Link className="name" href={datasetHref(one.id)}>
        {one.label}
      </Link>
    ),
  },
  { title: "What it is", width: "31%", cell: (one) => <span className="clamp">{one.description || <NotMeasured>not described</NotMeasured>}</span> },
  { title: "Columns", width: "7%", numeric: true, cell: (one) => (one.columns.length ? count(one.columns.length) : <NotMeasured>not known</NotMeasured>) },
  { title: "Personal data", width: "20%", cell: classes },
  { title: "Owner", width: "14%", cell: (one) => one.owner ?? <span className="muted">not said</span> },
  {
    title: "Graph",
    width: "7%",
    cell: (one) => (
      <Link href={graphHref(one.id)} aria-label={`Graph of ${one.label}`}>
        Graph
      </Link>
    ),
  },
];
