import { address } from "../api/client";
import type { Coverage as Answer, UngovernedWrite } from "../api/answers/coverage";
import type { DatasetPage } from "../api/answers/dataset";
import { useAnswer } from "../api/use_answer";
import { count, time, words } from "../format";
import { Facts } from "../parts/facts";
import { RunLink } from "../parts/link";
import { Empty, Failed, Loading, NotMeasured } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { UndeclaredReads } from "./undeclared_reads";

type Covered = Answer["datasets"][number];

/** How much of what is in the table the ledger knows of; asked for on its own, after the page. */
export function Coverage({ page, at }: { page: DatasetPage; at: string | null }) {
  if (page.coverage === "no_lake")
    return (
      <Empty title="This server knows no lake, so nobody has compared.">
        <p>How much of the table the ledger knows of is told by a server that was started in the project of the deployment: “penstock serve”.</p>
      </Empty>
    );
  if (page.coverage === "no_table")
    return (
      <Empty title="It is no table of the lake, so there are no commits to compare.">
        <p>Coverage is told of the deployment’s own tables.</p>
      </Empty>
    );
  return <Compared id={page.id} label={page.label} at={at} />;
}

function Compared({ id, label, at }: { id: string; label: string; at: string | null }) {
  const answer = useAnswer<Answer>(address("/coverage", { id, until: at }));
  const one = answer.data?.datasets[0];
  if (answer.failure) return <Failed failure={answer.failure} again={answer.again} what="the coverage" />;
  if (!one) return <Loading what="the coverage: the table’s whole history is read" />;
  if (one.commits === 0 && one.unknown_to_table.length === 0) return <Empty title="The table has no commit in this time." />;
  return (
    <>
      <p className="verdict">
        <Share one={one} /> {said(one)}
      </p>
      <Facts
        label="Coverage"
        facts={[
          ["Commits in the table", count(one.commits)],
          ["Of them known to the ledger", count(one.governed)],
          ["Written past Penstock", one.ungoverned.length ? <span className="in-clear">{count(one.ungoverned.length)}</span> : "none"],
          ["By a run the ledger has no end of", one.missing_in_ledger.length ? <span className="in-clear">{count(one.missing_in_ledger.length)}</span> : "none"],
          ["Told, and not in the table", one.unknown_to_table.length ? <span className="in-clear">{count(one.unknown_to_table.length)}</span> : "none"],
        ]}
      />
      {one.ungoverned.length > 0 && (
        <>
          <h3>Written past Penstock</h3>
          <Table caption={`Ungoverned writes of ${label}`} columns={WRITES} rows={newest(one.ungoverned)} rowKey={(write) => String(write.version)} shown={20} />
        </>
      )}
      {one.missing_in_ledger.length > 0 && (
        <>
          <h3>By a run that the ledger has no end of</h3>
          <Table caption={`Commits of ${label} that the ledger lacks`} columns={MISSING} rows={newest(one.missing_in_ledger)} rowKey={(write) => String(write.version)} shown={20} />
        </>
      )}
      {one.unknown_to_table.length > 0 && (
        <>
          <h3>Told by an event, and not in the table</h3>
          <Table caption={`Versions of ${label} that the table lacks`} columns={CLAIMS} rows={newest(one.unknown_to_table)} rowKey={(claim, index) => `${claim.version} ${index}`} shown={20} />
        </>
      )}
      <UndeclaredReads one={one} label={label} />
      {one.by_day.length > 0 && (
        <>
          <h3>Commits by day</h3>
          <Table caption={`Coverage of ${label} by day`} columns={DAYS} rows={[...one.by_day].reverse()} rowKey={(day) => day.day} shown={14} />
        </>
      )}
    </>
  );
}

function Share({ one }: { one: Covered }) {
  if (one.percent === null) return <span className="mark">no commit</span>;
  const whole = one.governed === one.commits;
  if (whole && one.unknown_to_table.length > 0) return <span className="mark state-abort">! {one.percent} %</span>;
  return <span className={whole ? "mark state-complete" : "mark state-fail"}>{`${whole ? "✓" : "✕"} ${one.percent} %`}</span>;
}

function said(one: Covered): string {
  if (one.percent === null) return "The table has no commit in this time.";
  if (one.governed < one.commits) return `The ledger knows ${count(one.governed)} of the table’s ${count(one.commits)} commits.`;
  const all = `The ledger knows every one of the table’s ${count(one.commits)} commits that its log still has`;
  return one.unknown_to_table.length ? `${all}, and was told of some that are not there.` : `${all}.`;
}

const newest = <Row extends { version: number }>(rows: readonly Row[]): Row[] => [...rows].sort((a, b) => b.version - a.version);

const WRITES: TableColumn<UngovernedWrite>[] = [
  { title: "Version", cell: (one) => count(one.version) },
  { title: "When", cell: (one) => time(one.at, { seconds: true }) },
  { title: "Operation", cell: (one) => words(one.operation) },
  { title: "Who", wide: true, cell: (one) => one.who ?? <NotMeasured>not said</NotMeasured> },
];

const MISSING: TableColumn<UngovernedWrite>[] = [...WRITES, { title: "Run it names", cell: (one) => (one.run_id ? <code>{one.run_id}</code> : "–") }];

const CLAIMS: TableColumn<Covered["unknown_to_table"][number]>[] = [
  { title: "Version", cell: (one) => count(one.version) },
  { title: "Told", cell: (one) => time(one.at, { seconds: true }) },
  { title: "By run", wide: true, cell: (one) => (one.run_id ? <RunLink id={one.run_id} /> : <NotMeasured>not said</NotMeasured>) },
];

const DAYS: TableColumn<Covered["by_day"][number]>[] = [
  { title: "Day (UTC)", cell: (one) => one.day },
  { title: "Commits", numeric: true, cell: (one) => count(one.commits) },
  { title: "Known to the ledger", numeric: true, cell: (one) => count(one.governed) },
  {
    title: "Share",
    wide: true,
    cell: (one) => (
      <span className="share">
        <span className="share-bar" aria-hidden="true">
          <i style={{ width: `${(100 * one.governed) / one.commits}%` }} />
        </span>{" "}
        {Math.floor((1000 * one.governed) / one.commits) / 10} %
      </span>
    ),
  },
];
