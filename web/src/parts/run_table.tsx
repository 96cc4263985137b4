import type { RunLine } from "../api/answers/run";
import { bytes, count, duration, time, words } from "../format";
import { RunLink } from "./link";
import { RunState } from "./mark";
import { Empty } from "./state";
import { Table, type TableColumn } from "./table";

export function RunTable({ runs, caption, shown = 25 }: { runs: readonly RunLine[]; caption: string; shown?: number }) {
  if (runs.length === 0) return <Empty title="No run has written it." />;
  return <Table key={shown} caption={caption} columns={COLUMNS} rows={runs} rowKey={(one) => `${one.run_id} ${one.job}`} shown={shown} />;
}

const COLUMNS: TableColumn<RunLine>[] = [
  { title: "Run", cell: (one) => <RunLink id={one.run_id} /> },
  { title: "State", cell: (one) => <RunState state={one.state} /> },
  { title: "Started", cell: (one) => time(one.started) },
  { title: "Took", numeric: true, cell: (one) => duration(one.seconds) },
  { title: "Kind", cell: (one) => (one.kind ? words(one.kind) : "–") },
  { title: "Slice", cell: (one) => one.slice ?? "–" },
  { title: "Rows in", numeric: true, cell: (one) => count(one.rows_in) },
  { title: "Committed", numeric: true, cell: (one) => count(one.rows_committed) },
  { title: "Quarantined", numeric: true, cell: (one) => count(one.rows_quarantined) },
  { title: "Version", numeric: true, cell: (one) => one.version ?? "–" },
  { title: "Size", numeric: true, cell: (one) => bytes(one.bytes) },
];
