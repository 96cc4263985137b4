import type { DatasetHistory, Measured, UpkeepRun, WrittenFiles } from "../api/answers/dataset";
import { bytes, count, time, words } from "../format";
import { Sparkline } from "../parts/sparkline";
import { RunLink } from "../parts/link";
import { RunState } from "../parts/mark";
import { Empty, NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";

/** What upkeep did and why, and the files that each run wrote. */
export function Files({ history, label }: { history: DatasetHistory; label: string }) {
  const measured = history.files.filter((one) => one.bytes_written !== null).reverse();
  return (
    <>
      {history.upkeep.length === 0 ? (
        <p className="note">No upkeep (compaction, purge, vacuum) has told of it. Upkeep that finds nothing to do tells nothing.</p>
      ) : (
        <>
          <h3>Upkeep</h3>
          <Table caption={`Upkeep of ${label}`} columns={UPKEEP} rows={history.upkeep} rowKey={(one) => `${one.run_id} ${one.job}`} shown={5} />
        </>
      )}
      <h3>Files over time</h3>
      {history.files.length === 0 ? (
        <Empty title="No completed run has written files of it." />
      ) : (
        <>
          {measured.length > 1 && (
            <Sparkline
              values={measured.map((one) => one.bytes_written ?? 0)}
              marked={measured.map((one) => one.upkeep)}
              said={`Bytes written by ${count(measured.length)} runs, oldest left: from ${bytes(Math.min(...sizes(measured)))} to ${bytes(Math.max(...sizes(measured)))}.${measured.some((one) => one.upkeep) ? " The green ones are upkeep." : ""}`}
            />
          )}
          <Table caption={`Files written to ${label}`} columns={FILES} rows={history.files} rowKey={(one) => `${one.run_id} ${one.job}`} shown={10} />
        </>
      )}
    </>
  );
}

const sizes = (files: readonly WrittenFiles[]) => files.map((one) => one.bytes_written ?? 0);

const figure = (value: number | null, write: (value: number) => string = count) => (value === null ? <NotMeasured>not measured</NotMeasured> : write(value));

function wrote(one: WrittenFiles) {
  if (one.upkeep) return "the same rows anew (upkeep)";
  if (one.outcome === "untold") return <NotMeasured>not said</NotMeasured>;
  const rows = one.outcome === "nothing" ? "no row" : "rows";
  return one.slice ? `${rows} of ${one.slice}` : rows;
}

const FILES: TableColumn<WrittenFiles>[] = [
  { title: "When", cell: (one) => time(one.at) },
  { title: "Run", cell: (one) => <RunLink id={one.run_id} /> },
  { title: "Wrote", cell: wrote },
  { title: "Version", numeric: true, cell: (one) => one.version ?? <NotMeasured>not said</NotMeasured> },
  { title: "Files written", numeric: true, cell: (one) => figure(one.files_written) },
  { title: "Bytes written", numeric: true, cell: (one) => figure(one.bytes_written, bytes) },
];

function Change({ run, of, write = count }: { run: UpkeepRun; of: keyof Measured; write?: (value: number) => string }) {
  const [before, after] = [run.before[of], run.after[of]];
  if (before === null && after === null) return <NotMeasured>not measured</NotMeasured>;
  return (
    <>
      {figure(before, write)} <span aria-hidden="true">→</span>
      <span className="unseen">to</span> {figure(after, write)}
    </>
  );
}

const UPKEEP: TableColumn<UpkeepRun>[] = [
  { title: "When", cell: (one) => time(one.at) },
  { title: "Run", cell: (one) => <RunLink id={one.run_id} /> },
  {
    title: "How it ended",
    cell: (one) => (
      <>
        <RunState state={one.state} />
        {one.status && one.status !== "done" && <div className="muted">{ENDED[one.status] ?? words(one.status)}</div>}
      </>
    ),
  },
  {
    title: "What it did",
    wide: true,
    cell: (one) => (one.operations.length ? one.operations.map((name) => DID[name] ?? words(name)).join(", ") : one.status ? "nothing" : <NotMeasured>not said</NotMeasured>),
  },
  {
    title: "Why",
    wide: true,
    cell: (one) =>
      one.reasons.length === 0 ? (
        <NotMeasured>not said</NotMeasured>
      ) : (
        <ul className="plain-list reasons">
          {one.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      ),
  },
  { title: "Files", cell: (one) => <Change run={one} of="files" /> },
  { title: "Bytes", cell: (one) => <Change run={one} of="bytes" write={bytes} /> },
  { title: "Left-over files", cell: (one) => <Change run={one} of="expired_files" /> },
];

const ENDED: Record<string, string> = { yielded: "gave way to a writer of rows", nothing: "nothing was left to do" };
const DID: Record<string, string> = {
  OPTIMIZE: "merged small files",
  REORG: "dropped rows marked deleted from the files",
  "VACUUM START": "began to delete left-over files",
  "VACUUM END": "deleted left-over files",
};
