import type { Coverage, UndeclaredRead } from "../api/answers/coverage";
import { count, plural, time } from "../format";
import { DatasetLink, RunLink } from "../parts/link";
import { NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";

type Covered = Coverage["datasets"][number];

/** What runs were seen reading and did not tell; of runs that nobody saw, nothing is known. */
export function UndeclaredReads({ one, label }: { one: Covered; label: string }) {
  const found = one.undeclared_reads;
  return (
    <>
      <h3>Reads that no run told of</h3>
      <p className="verdict">
        <Mark one={one} /> {said(one)}
      </p>
      {found !== null && found.length > 0 && (
        <Table caption={`Undeclared reads of runs for ${label}`} columns={READS} rows={found} rowKey={(read) => `${read.run_id} ${read.dataset}`} shown={20} />
      )}
    </>
  );
}

function Mark({ one }: { one: Covered }) {
  const found = one.undeclared_reads;
  if (found === null) return <span className="mark">not known</span>;
  if (found.length > 0) return <span className="mark state-fail">✕ {count(found.length)}</span>;
  if (one.corroborated < one.runs) return <span className="mark state-abort">! none seen</span>;
  return <span className="mark state-complete">✓ none</span>;
}

function said(one: Covered): string {
  if (one.runs === 0) return "No run of Penstock set out to write the table in this time.";
  if (one.undeclared_reads === null)
    return `Nobody but the runs themselves tells what they read: OpenLineage’s Spark listener saw none of the ${plural(one.runs, "run")}.`;
  const saw = `OpenLineage’s Spark listener saw ${count(one.corroborated)} of the ${plural(one.runs, "run")} that set out to write or keep the table`;
  return one.corroborated < one.runs ? `${saw}; of the others nothing is known.` : `${saw}.`;
}

const READS: TableColumn<UndeclaredRead>[] = [
  { title: "Run", cell: (one) => <RunLink id={one.run_id} /> },
  { title: "Ended", cell: (one) => time(one.at, { seconds: true }) },
  { title: "Read", wide: true, cell: (one) => <DatasetLink id={one.dataset} label={one.label} /> },
  { title: "Columns", cell: (one) => (one.columns?.length ? one.columns.join(", ") : <NotMeasured>not known</NotMeasured>) },
  {
    title: "Whose read it is",
    cell: (one) => (one.certain ? "the run’s" : <NotMeasured>the run’s, or of one beside it</NotMeasured>),
  },
  { title: "Told by", cell: (one) => one.seen_by.map((job) => job.split("|").at(-1)).join(", ") },
];
