import { useMemo } from "react";
import type { CheckLine } from "../api/answers/dataset";
import { count, plural, time } from "../format";
import { RunLink } from "./link";
import { Empty } from "./state";
import { Table, type TableColumn } from "./table";

interface History {
  name: string;
  column: string | null;
  severity: string | null;
  lines: CheckLine[];
}

const STRIP = 20;

/** Each check with its results through time, oldest left. */
export function CheckHistory({ checks }: { checks: readonly CheckLine[] }) {
  const histories = useMemo(() => {
    const found = new Map<string, History>();
    for (const line of [...checks].sort((a, b) => (a.at < b.at ? -1 : 1))) {
      const key = JSON.stringify([line.name, line.column]);
      const known = found.get(key);
      if (known) known.lines.push(line);
      else found.set(key, { name: line.name, column: line.column, severity: line.severity, lines: [line] });
    }
    const failing = (one: History) => (one.lines.at(-1)?.success ? 1 : 0);
    return [...found.values()].sort((a, b) => failing(a) - failing(b) || a.name.localeCompare(b.name));
  }, [checks]);
  if (histories.length === 0) return <Empty title="No check has been recorded." />;
  return (
    <Table
      caption="Checks and their history"
      columns={COLUMNS}
      rows={histories}
      rowKey={(one) => JSON.stringify([one.name, one.column])}
      shown={40}
    />
  );
}

const COLUMNS: TableColumn<History>[] = [
  { title: "Check", cell: (one) => <span className="name">{one.name}</span> },
  { title: "Column", cell: (one) => one.column ?? <span className="muted">whole row</span> },
  {
    title: "Now",
    cell: (one) => {
      const last = one.lines.at(-1);
      if (!last) return null;
      return last.success ? (
        <span className="mark state-complete">✓ passed</span>
      ) : (
        <span className="mark state-fail">✕ failed{last.failed_rows ? `, ${plural(last.failed_rows, "row")}` : ""}</span>
      );
    },
  },
  {
    title: "History",
    cell: (one) => {
      const failed = one.lines.filter((line) => !line.success).length;
      return (
        <>
          <span className="strip" aria-hidden="true">
            {one.lines.slice(-STRIP).map((line, index) => (
              <i key={index} className={line.success ? undefined : "failed"} title={`${time(line.at)}: ${line.success ? "passed" : "failed"}`} />
            ))}
          </span>{" "}
          <span className="muted">{failed ? `${count(failed)} of ${count(one.lines.length)} failed` : `${count(one.lines.length)} passed`}</span>
        </>
      );
    },
  },
  { title: "If broken", cell: (one) => (one.severity === "warn" ? "counts only" : (one.severity ?? "–")) },
  { title: "Last", cell: (one) => time(one.lines.at(-1)?.at) },
  {
    title: "Run",
    cell: (one) => {
      const last = one.lines.at(-1);
      return last ? <RunLink id={last.run_id} /> : null;
    },
  },
];
