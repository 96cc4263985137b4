import { useMemo, useState } from "react";
import type { ContractVersion } from "../api/answers/dataset";
import { duration, time, words } from "../format";
import { Facts } from "../parts/facts";
import { Empty } from "../parts/state";
import { Table, type TableColumn } from "../parts/table";
import { contractDiff, type ContractChange } from "./contract_diff";

/** The versions of a contract, the newest in full, and what changed between any two. */
export function Contracts({ versions }: { versions: readonly ContractVersion[] }) {
  const ordered = useMemo(() => [...versions].sort((a, b) => (a.registered_at < b.registered_at ? -1 : 1)), [versions]);
  const [pair, setPair] = useState<[number, number] | null>(null);
  const last = ordered.length - 1;
  const [from, until] = pair ?? [Math.max(0, last - 1), last];
  const before = ordered[from];
  const after = ordered[until];
  const newest = ordered[last];
  if (!newest || !before || !after)
    return (
      <Empty title="No contract is registered for this dataset.">
        <p>Its columns and steps are as the events of its runs tell them.</p>
      </Empty>
    );
  const choice = (title: string, value: number, choose: (index: number) => void) => (
    <label>
      {title}{" "}
      <select value={value} onChange={(event) => choose(Number(event.target.value))}>
        {ordered.map((one, index) => (
          <option key={`${one.version} ${one.fingerprint}`} value={index}>
            {one.version}, {time(one.registered_at)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <Facts label="Newest contract" facts={settings(newest)} />
      <h3>Versions</h3>
      <Table caption="Contract versions" columns={VERSIONS} rows={[...ordered].reverse()} rowKey={(one) => one.fingerprint + one.version} />
      <h3>What changed</h3>
      {ordered.length < 2 ? (
        <p className="note">There is one version, so there is nothing to compare yet.</p>
      ) : (
        <>
          <div className="choices">
            {choice("From", from, (index) => setPair([index, until]))}
            {choice("to", until, (index) => setPair([from, index]))}
          </div>
          <Difference changes={contractDiff(before.document, after.document)} />
        </>
      )}
      <details className="document">
        <summary>Contract {after.version} as JSON</summary>
        <pre tabIndex={0}>{JSON.stringify(after.document, null, 2)}</pre>
      </details>
    </>
  );
}

function Difference({ changes }: { changes: readonly ContractChange[] }) {
  if (changes.length === 0) return <Empty title="The two versions say the same." />;
  return <Table caption="Changes between the two contract versions" columns={CHANGES} rows={changes} rowKey={(_, index) => String(index)} />;
}

function settings(version: ContractVersion): [string, string | null][] {
  const document = version.document;
  const seconds = (value: unknown) => (typeof value === "number" ? days(value) : "not set");
  const list = (value: unknown) => (Array.isArray(value) && value.length ? value.map((one) => words(String(one))).join(", ") : "none");
  return [
    ["Name", String(document.name ?? "")],
    ["Version", version.version],
    ["Owner", String(document.owner ?? "")],
    ["Fresh within", seconds(document.freshness)],
    ["Kept for", seconds(document.retention)],
    ["Cleared for, in clear", list(document.cleared)],
    ["Checks", String(Array.isArray(document.checks) ? document.checks.length : 0)],
    ["Fingerprint", `${version.fingerprint.slice(0, 16)}…`],
  ];
}

function days(seconds: number): string {
  const whole = seconds / 86400;
  return Number.isInteger(whole) && whole > 0 ? `${whole} ${whole === 1 ? "day" : "days"}` : duration(seconds);
}

/** A value of a contract in words. */
function said(value: unknown, subject: string) {
  if (value === null || value === undefined || value === "") return <span className="muted">nothing</span>;
  if (typeof value === "number" && (subject === "freshness" || subject === "retention")) return days(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const VERSIONS: TableColumn<ContractVersion>[] = [
  { title: "Version", cell: (one) => <span className="name">{one.version}</span> },
  { title: "Registered", cell: (one) => time(one.registered_at) },
  { title: "Columns", numeric: true, cell: (one) => (Array.isArray(one.document.columns) ? one.document.columns.length : 0) },
  { title: "Fingerprint", cell: (one) => <code title={one.fingerprint}>{one.fingerprint.slice(0, 16)}…</code> },
];

const CHANGES: TableColumn<ContractChange>[] = [
  {
    title: "Subject",
    cell: (one) => (
      <>
        <span className="muted">{one.what}</span> <span className="name">{one.subject}</span>
      </>
    ),
  },
  {
    title: "Change",
    cell: (one) => (
      <>
        <span className={`change change-${one.change}`}>{{ added: "+ added", removed: "− removed", changed: "~ changed" }[one.change]}</span>{" "}
        {one.property && words(one.property)}
      </>
    ),
  },
  { title: "Before", wide: true, cell: (one) => (one.change === "added" ? null : <span className="before">{said(one.before, one.subject)}</span>) },
  { title: "After", wide: true, cell: (one) => (one.change === "removed" ? null : <span className="after">{said(one.after, one.subject)}</span>) },
];
