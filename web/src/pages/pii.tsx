import { address } from "../api/client";
import type { Pii, PiiColumn } from "../api/answers/overview";
import { useAnswer } from "../api/use_answer";
import { count, plural, words } from "../format";
import { EvidenceButton } from "../parts/evidence";
import { DatasetLink, graphHref } from "../parts/link";
import { Lock, MaskMark } from "../parts/mark";
import { Page } from "../parts/page";
import { Empty, Failed, Loading } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { Link, to, useQueryChange, type Place } from "../router";

type Class = Pii["classes"][number];

export function PiiView({ place }: { place: Place }) {
  const change = useQueryChange();
  const answer = useAnswer<Pii>(address("/pii"));
  const wanted = place.query.get("class");
  const clearOnly = place.query.get("show") === "clear";
  const classes = answer.data?.classes ?? [];
  const shown = classes
    .filter((one) => wanted === null || one.pii === wanted)
    .map((one) => ({ ...one, columns: clearOnly ? one.columns.filter((column) => column.in_clear) : one.columns }));
  return (
    <Page title="Personal data" lead="Every column that holds personal data: where it comes from, where it still stands in clear, and who is cleared for it.">
      {answer.failure ? (
        <Failed failure={answer.failure} again={answer.again} what="the personal data" />
      ) : !answer.data ? (
        <Loading what="the personal data" />
      ) : classes.length === 0 ? (
        <Empty title="No column is marked as personal data.">
          <p>A contract marks a column with its class; until one does, nothing is known here, which does not mean that there is none.</p>
        </Empty>
      ) : (
        <>
          <Table
            caption="Classes of personal data"
            columns={CLASSES}
            rows={classes}
            rowKey={(one) => one.pii}
            rowClass={(one) => (one.pii === wanted ? "row-at" : undefined)}
          />
          <div className="choices pii-choices">
            <label className="check">
              <input type="checkbox" checked={clearOnly} onChange={(event) => change({ show: event.target.checked ? "clear" : null })} /> Only what stands in
              clear
            </label>
            {wanted && <Link href={to("/pii", { show: clearOnly ? "clear" : null })}>All classes</Link>}
          </div>
          {shown.map((one) => (
            <section key={one.pii} className="section" aria-label={`Class ${words(one.pii)}`}>
              <h2>
                {words(one.pii)} <span className="muted">{plural(one.columns.length, "column")}</span>
              </h2>
              <p className="choices">
                <EvidenceButton of={`personal data of class ${words(one.pii)}`} asked={{ pii: one.pii }} />
              </p>
              {one.columns.length === 0 ? (
                <Empty title="None of this class stands in clear." />
              ) : (
                <Table caption={`Columns of class ${words(one.pii)}`} columns={COLUMNS} rows={one.columns} rowKey={(column) => `${column.dataset} ${column.column}`} />
              )}
            </section>
          ))}
        </>
      )}
    </Page>
  );
}

const isCleared = (column: PiiColumn) => column.cleared === true;
const amount = (value: number) => (value === 0 ? <span className="muted">0</span> : count(value));

const CLASSES: TableColumn<Class>[] = [
  {
    title: "Class",
    width: "28%",
    cell: (one) => (
      <Link className="name" href={to("/pii", { class: one.pii })}>
        {words(one.pii)}
      </Link>
    ),
  },
  { title: "Columns", width: "18%", numeric: true, cell: (one) => count(one.columns.length) },
  { title: "Masked", width: "18%", numeric: true, cell: (one) => amount(one.columns.filter((column) => !column.in_clear).length) },
  { title: "In clear, cleared", width: "18%", numeric: true, cell: (one) => amount(one.columns.filter((column) => column.in_clear && isCleared(column)).length) },
  {
    title: "In clear, not cleared",
    width: "18%",
    numeric: true,
    cell: (one) => {
      const open = one.columns.filter((column) => column.in_clear && !isCleared(column)).length;
      return open ? <span className="mark state-fail">✕ {open}</span> : amount(0);
    },
  },
];

const COLUMNS: TableColumn<PiiColumn>[] = [
  { title: "Column", width: "28%", cell: (one) => <DatasetLink id={one.dataset} label={one.label} column={one.column} /> },
  {
    title: "Stands",
    width: "12%",
    cell: (one) =>
      one.in_clear ? (
        <>
          <span className="mark mark-pii">in clear</span>
          {one.contradicted && <div className="in-clear">tagged as masked, arrives in clear</div>}
          {one.tagged === false && <div className="muted">not tagged, arrives in clear</div>}
        </>
      ) : (
        <span className="mark mark-mask">
          <Lock /> masked
        </span>
      ),
  },
  {
    title: "Clearance",
    width: "18%",
    cell: (one) => {
      if (isCleared(one)) return `${one.label} is cleared`;
      if (!one.in_clear) return <span className="muted">not needed</span>;
      return <span className="mark state-fail">✕ {one.cleared === null ? "no contract says" : "not cleared"}</span>;
    },
  },
  {
    title: "Comes from",
    width: "26%",
    cell: (one) =>
      one.from.length === 0 ? (
        <span className="muted">outside, or not said</span>
      ) : (
        <ul className="plain-list">
          {one.from.map((end) => (
            <li key={`${end.dataset} ${end.column}`}>
              <DatasetLink id={end.dataset} label={end.label} column={end.column} /> {end.masking && <MaskMark />}
            </li>
          ))}
        </ul>
      ),
  },
  {
    title: "Look further",
    width: "16%",
    cell: (one) => (
      <div className="choices">
        <Link href={graphHref(one.dataset, one.column)} aria-label={`Graph of ${one.label}.${one.column}`}>
          Graph
        </Link>
        <EvidenceButton of={`${one.label}.${one.column}`} asked={{ id: one.dataset, column: one.column }} quiet />
      </div>
    ),
  },
];
