import { useState } from "react";
import { address } from "../api/client";
import type { Readers as Answer } from "../api/answers/dataset";
import type { Column } from "../api/answers/graph";
import { useAnswer } from "../api/use_answer";
import { nameOf, time } from "../format";
import { DatasetLink, RunLink } from "./link";
import { MaskMark } from "./mark";
import { Empty, Failed, Loading } from "./state";
import { Table, type TableColumn } from "./table";

type Reader = Answer["runs"][number];

/** Which runs have read a dataset or one of its columns in a period, and into what. */
export function Readers({ id, columns, column: first }: { id: string; columns: readonly Column[]; column: string | null }) {
  const [column, setColumn] = useState(first ?? "");
  const [since, setSince] = useState("");
  const [until, setUntil] = useState("");
  const instant = (day: string, clock: string) => (day ? `${day}T${clock}Z` : null);
  const answer = useAnswer<Answer>(
    address("/readers", { id, column, since: instant(since, "00:00:00"), until: instant(until, "23:59:59") }),
  );
  return (
    <>
      <div className="choices">
        <label>
          Column{" "}
          <select value={column} onChange={(event) => setColumn(event.target.value)}>
            <option value="">Any</option>
            {columns.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        </label>
        <label>
          From <input type="date" value={since} onChange={(event) => setSince(event.target.value)} />
        </label>
        <label>
          to <input type="date" value={until} onChange={(event) => setUntil(event.target.value)} /> <span className="muted">UTC</span>
        </label>
      </div>
      {answer.failure ? (
        <Failed failure={answer.failure} again={answer.again} what="who has read it" />
      ) : !answer.data ? (
        <Loading what="who has read it" />
      ) : answer.data.runs.length === 0 ? (
        <Empty title="No recorded run has read it in this period." />
      ) : (
        <>
          <Table caption="Runs that have read it" columns={COLUMNS} rows={answer.data.runs} rowKey={(one, index) => `${one.run_id} ${index}`} shown={25} />
          {answer.data.complete === false && <p className="note">There are more: choose a shorter period to see all of it.</p>}
        </>
      )}
    </>
  );
}

const LISTED = 6;

const COLUMNS: TableColumn<Reader>[] = [
  { title: "Run", cell: (one) => <RunLink id={one.run_id} /> },
  { title: "Job", cell: (one) => nameOf(one.job) },
  { title: "When", cell: (one) => time(one.at) },
  { title: "Version read", numeric: true, cell: (one) => one.dataset_version ?? "–" },
  {
    title: "Into",
    wide: true,
    cell: (one) =>
      one.into.length === 0 ? (
        <span className="muted">not said</span>
      ) : (
        <>
          {one.into.slice(0, LISTED).map((end, index) => (
            <span key={`${end.dataset} ${end.column}`}>
              {index > 0 && ", "}
              <DatasetLink id={end.dataset} label={end.label} column={end.column} />
            </span>
          ))}
          {one.into.length > LISTED && <span className="muted"> and {one.into.length - LISTED} more</span>}
        </>
      ),
  },
  {
    title: "Masked on the way",
    cell: (one) =>
      one.masked === null ? <span className="muted">columns not said</span> : one.masked ? <MaskMark /> : <span className="in-clear">no</span>,
  },
];
