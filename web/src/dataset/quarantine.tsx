import type { Quarantine as Told } from "../api/answers/dataset";
import { count, plural, time } from "../format";
import { Facts, type Fact } from "../parts/facts";
import { RunLink } from "../parts/link";
import { RunState } from "../parts/mark";
import { Empty, NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";

/** How many rows runs have set aside, by which checks, and where they lie. */
export function Quarantine({ told, label, contract }: { told: Told; label: string; contract: boolean }) {
  if (told.told === 0)
    return (
      <Empty title="No run says whether it set rows aside.">
        <p>{told.runs.length === 0 ? "No run that wrote rows has ended." : `${plural(told.untold, "run")} ended without a word of it.`}</p>
      </Empty>
    );
  const sliced = told.runs.some((one) => one.state === "COMPLETE" && one.slice !== null);
  const facts: Fact[] = [
    ["Set aside, in all runs", plural(told.rows ?? 0, "row")],
    ["In the latest run of each slice", told.rows_latest === null ? <NotMeasured>{sliced ? "not known" : "no slices told"}</NotMeasured> : plural(told.rows_latest, "row")],
    ["Runs that say", count(told.told)],
    ["Runs that do not", told.untold ? `${count(told.untold)}; they may have set rows aside too` : "none"],
    ["Where they lie", told.where ? <code>{told.where}</code> : <NotMeasured>no event names it</NotMeasured>],
  ];
  if (contract && told.rows) facts.push(["To look at them", <code key="command">penstock quarantine show {label}</code>]);
  return (
    <>
      <Facts label="Quarantine" facts={facts} />
      {told.by_check.length > 0 && (
        <>
          <h3>By check</h3>
          <Table caption={`Rows of ${label} set aside by check`} columns={CHECKS} rows={told.by_check} rowKey={(one) => one.check} shown={20} />
          <p className="note note-after">A row that broke two checks counts for both.</p>
        </>
      )}
      <h3>By run</h3>
      <Table caption={`Rows of ${label} set aside by run`} columns={RUNS} rows={told.runs} rowKey={(one) => `${one.run_id} ${one.job}`} shown={10} />
    </>
  );
}

const CHECKS: TableColumn<Told["by_check"][number]>[] = [
  { title: "Check", cell: (one) => <span className="name">{one.check}</span> },
  { title: "Rows set aside", numeric: true, cell: (one) => count(one.rows) },
];

const RUNS: TableColumn<Told["runs"][number]>[] = [
  { title: "When", cell: (one) => time(one.at) },
  { title: "Run", cell: (one) => <RunLink id={one.run_id} /> },
  { title: "State", cell: (one) => <RunState state={one.state} /> },
  { title: "Slice", cell: (one) => one.slice ?? "–" },
  { title: "Rows set aside", numeric: true, cell: (one) => (one.rows_quarantined === null ? <NotMeasured>not said</NotMeasured> : count(one.rows_quarantined)) },
  {
    title: "By check",
    wide: true,
    cell: (one) => {
      const checks = Object.entries(one.by_check);
      if (checks.length > 0) return checks.map(([check, rows]) => `${check}: ${count(rows)}`).join(", ");
      return one.rows_quarantined ? <NotMeasured>not said</NotMeasured> : "–";
    },
  },
];
