import type { Freshness as Told } from "../api/answers/dataset";
import { count, duration, plural, time } from "../format";
import { Facts, type Fact } from "../parts/facts";
import { RunLink } from "../parts/link";
import { NotMeasured } from "../parts/state";

/** Whether the data is as fresh as its contract promises, and what that is judged from. */
export function Freshness({ told }: { told: Told }) {
  const { verdict, written, untold, unchanged, newest_slice: newest } = told;
  const promised = told.promise_seconds !== null;
  const facts: Fact[] = [
    ["Promised", promised ? `rows no older than ${span(told.promise_seconds)}` : <span className="muted">nothing</span>],
    ["By", told.contract_version ? `contract ${told.contract_version}` : <span className="muted">no contract at that time</span>],
    ["Rows last committed", written ? <At run={written} more={written.rows === null ? "rows not counted" : plural(written.rows, "row")} /> : <NotMeasured>{verdict === "unknown" ? "not in these runs" : "never"}</NotMeasured>],
    [
      "Newest slice",
      newest ? (
        <>
          {newest.slice ?? "not named"}
          {newest.until && <span className="muted">, up to {time(newest.until)}</span>}
        </>
      ) : (
        <NotMeasured>not said</NotMeasured>
      ),
    ],
  ];
  if (told.as_of) facts.push(["Newest rows are of", time(told.as_of, { seconds: true })]);
  if (unchanged) facts.push(["Looked at since, no row written", <At key="unchanged" run={unchanged} />]);
  if (untold) facts.push(["Completed since, rows not said", <At key="untold" run={untold} />]);
  facts.push(["Failed or aborted since", told.failed_since ? <span className="in-clear">{plural(told.failed_since, "run")}</span> : "none"]);
  facts.push(["Judged as of", time(told.judged_at, { seconds: true })]);
  return (
    <>
      <p className="verdict">
        <Verdict told={told} /> {SAID[verdict](told)}
      </p>
      <Facts label="Freshness" facts={facts} />
      <p className="note note-after">
        Judged from the events of the {told.complete ? "" : "latest "}
        {plural(told.runs, "run")} that named it as an output. Rows are as old as the end of their slice, or as the run that wrote them where the slice had not ended: an old slice that is made late, or anew, makes nothing fresh. Neither
        does a run that failed, one that wrote no row, or upkeep. A run of Penstock that finds its sources unchanged tells no event, so that look is not seen here.
      </p>
    </>
  );
}

function Verdict({ told }: { told: Told }) {
  switch (told.verdict) {
    case "fresh":
      return <span className="mark state-complete">✓ fresh</span>;
    case "late":
      return <span className="mark state-fail">✕ late by {span(told.late_by_seconds)}</span>;
    case "unproven":
      return <span className="mark state-abort">? not proven</span>;
    case "never":
      return <span className={told.promise_seconds === null ? "mark" : "mark state-fail"}>never written</span>;
    case "unknown":
      return <span className="mark state-abort">? not known</span>;
    default:
      return <span className="mark">no promise</span>;
  }
}

const SAID: Record<Told["verdict"], (told: Told) => string> = {
  fresh: (told) => `The newest rows were ${span(told.age_seconds)} old, and the contract promises none older than ${span(told.promise_seconds)}.`,
  late: (told) =>
    told.age_seconds === null
      ? `No run says that it wrote rows, and the contract promises some no older than ${span(told.promise_seconds)}.`
      : `The newest rows were ${span(told.age_seconds)} old, and the contract promises none older than ${span(told.promise_seconds)}.`,
  unproven: () => "Only a run that does not say whether it wrote rows would keep the contract’s promise.",
  no_promise: (told) => (told.age_seconds === null ? "No contract says how fresh it has to be, and no run says that it wrote rows." : `No contract says how fresh it has to be. The newest rows were ${span(told.age_seconds)} old.`),
  never: (told) => (told.promise_seconds === null ? "No run on record has written rows of it." : `No run on record has written rows of it, and the contract promises some no older than ${span(told.promise_seconds)}.`),
  unknown: (told) => `None of its latest ${count(told.runs)} runs wrote rows; older ones were not looked at.`,
};

function span(seconds: number | null): string {
  if (seconds === null) return "–";
  const days = seconds / 86400;
  return Number.isInteger(days) && days > 0 ? plural(days, "day") : duration(seconds);
}

function At({ run, more }: { run: { run_id: string; at: string }; more?: string }) {
  return (
    <>
      {time(run.at, { seconds: true })}
      <div className="muted">
        {more && `${more}, `}run <RunLink id={run.run_id} />
      </div>
    </>
  );
}
